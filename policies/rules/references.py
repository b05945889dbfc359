"""Frameworks that rules refer to."""

CIS = {
    "1.16": "CIS AWS 3.0.0 1.16",
    "2.1.1": "CIS AWS 3.0.0 2.1.1",
    "2.1.4": "CIS AWS 3.0.0 2.1.4",
    "2.2.1": "CIS AWS 3.0.0 2.2.1",
    "2.3.1": "CIS AWS 3.0.0 2.3.1",
    "2.3.3": "CIS AWS 3.0.0 2.3.3",
    "3.6": "CIS AWS 3.0.0 3.6",
    "5.2": "CIS AWS 3.0.0 5.2",
}
NIST = {
    number: f"NIST 800-53r5 {number}"
    for number in (
        "AC-3",
        "AC-4",
        "AC-6",
        "AU-2",
        "AU-6",
        "AU-11",
        "AU-12",
        "CM-3",
        "CM-8",
        "CP-10",
        "IA-5",
        "SA-9",
        "SC-7",
        "SC-8",
        "SC-12",
        "SC-13",
        "SC-28",
        "SI-4",
        "SI-17",
    )
}
WELL_ARCHITECTED = {
    number: f"AWS Well-Architected {number}"
    for number in (
        "SEC02-BP03",
        "SEC03-BP02",
        "SEC03-BP05",
        "SEC03-BP07",
        "SEC08-BP02",
        "SEC09-BP02",
        "OPS04-BP02",
        "OPS06-BP03",
        "OPS06-BP04",
        "REL06-BP03",
        "REL07-BP01",
        "REL08-BP04",
        "REL10-BP01",
        "COST02-BP01",
        "COST06-BP03",
    )
}
