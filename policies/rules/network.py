"""Networks and what may be shared: nothing but the web's own ports is open to everybody."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from .model import UNKNOWN, Context, Finding, Resource, Rule, items, known, section, text
from .references import CIS, NIST

_PUBLIC = {4: 8, 6: 16}
"""Prefix lengths below which a network is most of the internet: halves of it, quarters, eighths."""


def public_network(resource: Resource, context: Context) -> Iterator[Finding]:
    """Nothing but the web's own ports is open to everybody."""
    allowed = set(context.options["ports"])
    for place, rule in _ingress(resource):
        if not known(rule) or not _open(rule):
            continue
        low, high = _port(section(rule, "fromPort")), _port(section(rule, "toPort"))
        protocol = str(section(rule, "protocol") or section(rule, "ipProtocol") or "")
        if UNKNOWN in (low, high):
            continue
        if protocol in ("-1", "all") or not (low == high and low in allowed):
            ports = "all ports" if protocol in ("-1", "all") or low is None else f"ports {low:g} to {high:g}"
            yield Finding(f"opens {ports} to everybody", place)


def _port(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.removeprefix("-").isdigit() else value


_LISTS = {
    "aws:ec2/securityGroup:SecurityGroup": "ingress",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "ingress",
    "aws-native:ec2:SecurityGroup": "securityGroupIngress",
}
_SINGLE = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "cidrIpv4",
    "aws-native:ec2:SecurityGroupIngress": "cidrIp",
}
_ACLS = ("aws:ec2/networkAclRule:NetworkAclRule", "aws-native:ec2:NetworkAclEntry")


def _ingress(resource: Resource) -> Iterator[tuple[str, Any]]:
    name = _LISTS.get(resource.type, "")
    yield from ((f"{name}[{number}]", each) for number, each in enumerate(items(resource.props.get(name))))
    if resource.type == "aws:ec2/securityGroupRule:SecurityGroupRule" and resource.props.get("type") == "ingress":
        yield "cidrBlocks", resource.props
    if resource.type in _SINGLE:
        yield _SINGLE[resource.type], resource.props


def _open(rule: Any) -> bool:
    names = ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6", "cidrIp")
    return any(_everybody(each) for name in names for each in items(section(rule, name)))


def _everybody(network: Any) -> bool:
    try:
        found = ipaddress.ip_network(text(network), strict=False)
    except ValueError:
        return False
    return found.prefixlen < _PUBLIC[found.version]


def shared(resource: Resource, context: Context) -> Iterator[Finding]:
    """Copies and machines that anybody may have or reach."""
    props = resource.props
    if props.get("publiclyAccessible") in (True, "true") and resource.type.startswith(("aws:", "aws-native:")):
        yield Finding("is reachable from the internet", "publiclyAccessible")
    for name in _FOR_ALL.get(resource.type, ()):
        if "all" in [text(each).lower() for each in items(section(props, name))]:
            yield Finding("is shared with every account of AWS", name)
    yield from _document(resource)
    yield from _cluster(resource)
    if resource.type in _ACLS and _lets_in(props):
        yield Finding("lets everybody in to a port that machines are managed by", "cidrBlock")


_FOR_ALL = {
    "aws:rds/snapshot:Snapshot": ("sharedAccounts",),
    "aws:rds/clusterSnapshot:ClusterSnapshot": ("sharedAccounts",),
    "aws:rds/snapshotCopy:SnapshotCopy": ("sharedAccounts",),
    "aws:ec2/amiLaunchPermission:AmiLaunchPermission": ("group",),
    "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission": ("accountId",),
}


def _document(resource: Resource) -> Iterator[Finding]:
    accounts = text(section(resource.props.get("permissions"), "accountIds")).lower().split(",")
    if resource.type == "aws:ssm/document:Document" and "all" in [each.strip() for each in accounts]:
        yield Finding("is shared with every account of AWS", "permissions.accountIds")


def _cluster(resource: Resource) -> Iterator[Finding]:
    if resource.type not in ("aws:eks/cluster:Cluster", "aws-native:eks:Cluster"):
        return
    config = resource.props.get("vpcConfig", resource.props.get("resourcesVpcConfig"))
    if not known(config) or section(config, "endpointPublicAccess") in (False, "false"):
        return
    networks = section(config, "publicAccessCidrs")
    if networks is None or any(_everybody(each) for each in items(networks)):
        yield Finding("has an API that everybody can reach", "vpcConfig.publicAccessCidrs")


_MANAGED = (22, 3389)


def _lets_in(props: Any) -> bool:
    if props.get("egress") in (True, "true") or props.get("ruleAction") not in ("allow", "ALLOW"):
        return False
    if not any(_everybody(props.get(name)) for name in ("cidrBlock", "ipv6CidrBlock")):
        return False
    ports = props.get("portRange") or {}
    low = _port(props.get("fromPort", section(ports, "from")))
    high = _port(props.get("toPort", section(ports, "to")))
    if str(props.get("protocol")) == "-1":
        return True
    return isinstance(low, int) and isinstance(high, int) and any(low <= each <= high for each in _MANAGED)


_CLOSED = (NIST["AC-3"], NIST["SC-7"])
RULES = (
    Rule(
        "public-network",
        "exposure",
        "mandatory",
        "high",
        "Networks are closed",
        "anybody can try the port, and every hole of what listens there",
        "name the networks that need it",
        (CIS["5.2"], *_CLOSED),
        public_network,
        options={"ports": {"type": "array", "items": {"type": "number"}, "default": [80, 443]}},
    ),
    Rule(
        "public-resource",
        "exposure",
        "mandatory",
        "high",
        "Databases, copies and clusters are not everybody's",
        "what anybody may reach or copy is read by whoever looks for it, and there are those who look all day",
        "turn public access off, and name the accounts and networks that need it",
        (CIS["2.3.3"], *_CLOSED),
        shared,
    ),
)
