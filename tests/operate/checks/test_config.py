"""Faults of config files, each named with its file. That the program reads all keys so, its own tests say."""

from pathlib import Path

import pytest
import yaml

from operate.checks import config
from tests.scenarios.own.project import Own, make


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make(tmp_path, Own(environments=("staging", "live"), accounts=("000000000001", "000000000002", "000000000003")), 10)
    return tmp_path


def edit(path: Path, key: str, value: object) -> None:
    document = yaml.safe_load(path.read_text())
    document["config"][key] = value
    path.write_text(yaml.safe_dump(document))


def test_an_own_config_of_other_names_is_in_order(root: Path) -> None:
    result, configs = config.check(root)
    assert (result.summary, result.findings) == ("delivery, staging, live", ())
    assert [each.account for each in configs.settings.values()] == ["000000000001", "000000000002", "000000000003"]


def test_every_fault_of_every_file_is_named(root: Path) -> None:
    edit(root / "Pulumi.delivery.yaml", "glidepath:aproval", {})
    edit(root / "Pulumi.staging.yaml", "glidepath:capture", {"percentage": 300})
    (root / "Pulumi.live.yaml").write_text("config: [")
    found = [str(each) for each in config.check(root)[0].findings]
    assert found[0].startswith("Pulumi.delivery.yaml: glidepath:aproval: unknown key; did you mean glidepath:approval")
    # Without the delivery stack's environments nothing is known of the others.
    assert len(found) == 1
    edit(root / "Pulumi.delivery.yaml", "glidepath:approval", {"mails": ["a@example.com"]})
    document = yaml.safe_load((root / "Pulumi.delivery.yaml").read_text())
    del document["config"]["glidepath:aproval"]
    (root / "Pulumi.delivery.yaml").write_text(yaml.safe_dump(document))
    staging, live = (str(each) for each in config.check(root)[0].findings)
    assert staging.startswith("Pulumi.staging.yaml: glidepath:capture.percentage: 300 is not a whole number")
    assert live.startswith("Pulumi.live.yaml: is not valid YAML: ")


def test_a_missing_file_and_another_name_are_found(root: Path) -> None:
    (root / "Pulumi.staging.yaml").unlink()
    edit(root / "Pulumi.live.yaml", "glidepath:name", "other-name")
    missing, differs = (str(each) for each in config.check(root)[0].findings)
    assert missing.startswith("Pulumi.staging.yaml: is missing; every environment of glidepath:environments")
    assert differs == "Pulumi.live.yaml: glidepath:name is 'other-name', but 'flat-rents' in Pulumi.delivery.yaml"


@pytest.mark.parametrize("day", ["2027-02-30", "2027-13-01"])
def test_a_day_that_the_calendar_lacks_is_named_with_its_file(root: Path, day: str) -> None:
    """Without quotes, as people write days in YAML: its reader fails before any key is known."""
    path = root / "Pulumi.live.yaml"
    entry = {"rule": "wildcard-type", "resource": "a", "reason": "b", "until": day}
    edit(path, "glidepath:policies", {"exemptions": [entry]})
    path.write_text(path.read_text().replace(f"'{day}'", day))
    (found,) = (str(each) for each in config.check(root)[0].findings)
    assert found.startswith("Pulumi.live.yaml: ")
    assert "day" in found


def test_what_a_deployment_would_refuse_is_noted(root: Path) -> None:
    assert config.check(root)[0].notes == ()
    project = root / "Pulumi.yaml"
    project.write_text(f"{project.read_text()}\nplugins:\n  providers: []\n")
    (note,) = config.check(root)[0].notes
    assert note.startswith("Pulumi.yaml has 'plugins', by which the engine could run or ask something else")
    assert note.endswith(": the pipeline's plans and deployments refuse that")
