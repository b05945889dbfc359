"""Credentials: whether each stack's profile is there, and signs for the account that the config names."""

import json
from collections.abc import Mapping
from typing import Any

from operate.doctor.finding import FINE, NOTE, PROBLEM, Finding, Unread, attempt

_CHECK = "credentials"


def look(sts: Any) -> Mapping[str, str] | Unread:
    """Who a profile is: AWS's `Account` and `Arn`."""
    return attempt(lambda: sts().get_caller_identity())


def check(stack: str, account: str, profile: str, who: Mapping[str, str] | Unread) -> Finding:
    """Whether the profile signs for the stack's account."""
    if isinstance(who, Unread):
        fix = f"aws configure sso --profile {profile}, or aws sso login --profile {profile}"
        what = f"profile {profile} has no credentials that AWS takes"
        return Finding(_CHECK, stack, PROBLEM, what, who.reason, f"{fix}; then ./glidepath doctor again")
    if who["Account"] != account:
        why = f"it is {who['Arn']}, but glidepath:accounts names {account} for {stack}"
        fix = f"correct profile {profile} in ~/.aws/config, or glidepath:accounts in every Pulumi.*.yaml"
        return Finding(_CHECK, stack, PROBLEM, f"profile {profile} is of account {who['Account']}", why, fix)
    return Finding(_CHECK, stack, FINE, f"profile {profile}: {who['Arn']}")


def agree(stack: str, account: str, profile: str, given: Mapping[str, str]) -> list[Finding]:
    """Whether the stack's file has the engine use the same profile and account as the commands."""
    file, found = f"Pulumi.{stack}.yaml", []
    named = given.get("aws:profile", "")
    if named and named != profile:
        why = f"the commands use {profile}, the engine {named}: they may be in two accounts"
        found.append(Finding(_CHECK, stack, NOTE, f"{file} names profile {named}", why, f"name it {profile} in both"))
    allowed = given.get("aws:allowedAccountIds", "")
    if allowed and account not in json.loads(allowed):
        why = f"the provider refuses every other account, and glidepath:accounts names {account} for {stack}"
        what, fix = f"aws:allowedAccountIds of {file} is {allowed}", f'write ["{account}"] in {file}'
        found.append(Finding(_CHECK, stack, PROBLEM, what, why, fix))
    return found
