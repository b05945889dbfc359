"""Who may put events on a bus that is another bus's target.

As in https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html and eb-bus-to-bus.html: with a
role on the target, EventBridge puts the event as that role, so the role's own policy must allow it, and in another
account the receiving bus's policy as well. Without a role, the receiving bus's policy must let the account in.
Either way aws:SourceArn is the rule (eb-event-bus-example-policy-restrict-rule.html).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rehearsal.cloud.authorization.enforce import enforce
from rehearsal.cloud.core.api import AwsError, Call, Cloud, Place, Principal, for_service
from rehearsal.cloud.policy_language import trust

SERVICE = "events.amazonaws.com"
_ACTION = "events:PutEvents"


def require(cloud: Cloud, place: Place, entry: dict[str, Any]) -> None:
    """Raise AwsError where a rule at `place` may not send to its target. The ledger keeps it under the role."""
    arn = str(entry["Arn"])
    _, _, _, region, account, name = arn.split(":", 5)
    bus = name.removeprefix("event-bus/")
    if bus not in cloud.backend("events", account, region).event_buses:
        raise AwsError("ResourceNotFoundException", f"Event bus {bus} does not exist.")
    source = for_service(SERVICE, place.account, entry["RuleArn"]).source
    if not entry.get("RoleArn"):
        root = f"arn:aws:iam::{place.account}:root"
        require_permission(cloud, account, region, bus, Principal(root, place.account, "role"), dict(source))
        return
    session = cloud.session_for_service(
        entry["RoleArn"], SERVICE, "events", source_arn=entry["RuleArn"], source_account=place.account
    )
    params = {"Entries": [{"EventBusName": arn}]}
    sender = replace(session, source=source)
    enforce(Call(cloud, place.account, region, "events", "PutEvents", params, sender, "", _ACTION))


def require_permission(
    cloud: Cloud, account: str, region: str, bus: str, sender: Principal, source: Mapping[str, str] | None = None
) -> None:
    """Raise AwsError where the policy of a bus does not let a sender in."""
    buses = cloud.backend("events", account, region).event_buses
    policy = buses[bus].policy if bus in buses else None
    if not policy or not trust.allows(policy, sender, source or {}, _ACTION):
        arn = f"arn:aws:events:{region}:{account}:event-bus/{bus}"
        text = f"User: {sender.arn} is not authorized to perform: {_ACTION} on resource: {arn}"
        raise AwsError("AccessDeniedException", text, 403)
