"""What is shared with people: mail addresses that must confirm, and the log role that other teams may use."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.names import DELIVERY, Names
from operate.doctor.finding import FINE, NOTE, PROBLEM, Finding, Unread, attempt, console
from settings import Settings

_PENDING = "PendingConfirmation"


# --- mail ------------------------------------------------------------------------------------------------------------


def topic(settings: Settings) -> str:
    """ARN of the topic whose subscribers are people."""
    names = settings.names
    own = f"{names.name}-approval" if settings.stack == DELIVERY else f"{names.stack(settings.stack)}-alarms"
    return names.arn("sns", own, settings.stack)


def wanted(settings: Settings) -> Sequence[str]:
    """The addresses that the config names."""
    return settings.approval.mails if settings.stack == DELIVERY else settings.alarms.mails or ()


def subscribed(sns: Any, arn: str) -> Mapping[str, str] | Unread | None:
    """Address → ARN of its subscription, or that it is pending; None where there is no topic yet."""

    def ask() -> dict[str, str]:
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        found = [item for page in pages for item in page["Subscriptions"]]
        return {item["Endpoint"]: item["SubscriptionArn"] for item in found if item["Protocol"] == "email"}

    answer = attempt(ask)
    return None if isinstance(answer, Unread) and answer.code in ("NotFound", "NotFoundException") else answer


def mails(settings: Settings, found: Mapping[str, str] | Unread | None) -> list[Finding]:
    """Whether everybody who is to hear has confirmed. AWS drops what is not confirmed within 48 hours.

    https://aws.amazon.com/about-aws/whats-new/2023/05/amazon-sns-automatic-deletion-unconfirmed-subscriptions/
    """
    stack, addresses = settings.stack, wanted(settings)
    what = "approvals" if stack == DELIVERY else "alarms"
    if not addresses:
        fix = f"name some as glidepath:{'approval' if stack == DELIVERY else 'alarms'}.mails in Pulumi.{stack}.yaml"
        return [Finding("mail", stack, NOTE, f"nobody is told of {what} by mail", "the config names no address", fix)]
    if isinstance(found, Unread):
        return [found.finding("mail", stack, f"who hears of {what}")]
    if found is None:
        why = "the topic is not made yet; AWS then sends each address a link, which is good for 48 hours"
        return [Finding("mail", stack, NOTE, f"{len(addresses)} will be asked to confirm", why, "follow the links")]
    return [*_silent(settings, found, what)] or [Finding("mail", stack, FINE, f"{len(addresses)} hear of {what}")]


def _silent(settings: Settings, found: Mapping[str, str], what: str) -> list[Finding]:
    stack, silent = settings.stack, []
    for mail in wanted(settings):
        arn = found.get(mail)
        if arn == _PENDING:
            fix = f"the link in the mail from AWS Notifications; a new one: {_console(settings)} → Request confirmation"
            why = f"it hears of no {what} until then"
            silent.append(Finding("mail", stack, PROBLEM, f"{mail} has not confirmed", why, fix))
        elif arn is None or arn == "Deleted":
            why = "AWS has dropped it (nobody confirmed within 48 hours), or somebody has unsubscribed it"
            fix = f"pulumi up -s {stack} --refresh, then the link in the mail"
            silent.append(Finding("mail", stack, PROBLEM, f"{mail} is not subscribed to {what}", why, fix))
    return silent


def _console(settings: Settings) -> str:
    return console("sns/v3", settings.region, f"#/topic/{topic(settings)}")


# --- API Gateway's role for logs -------------------------------------------------------------------------------------


def log_role(apigateway: Any) -> str | Unread:
    """The role that API Gateway writes an account's logs with; empty where none is set."""
    return attempt(lambda: str(apigateway.get_account().get("cloudwatchRoleArn") or ""))


def api_logs(settings: Settings, found: str | Unread) -> list[Finding]:
    """Whether another team's role stands where Glidepath sets its own: there is one for all APIs of account and region.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html
    """
    check, stack = "api logs", settings.stack
    if isinstance(found, Unread):
        return [found.finding(check, stack, "API Gateway's role for logs")]
    kept = settings.api.log_role
    if kept == "account":
        return [_kept(stack, found)]
    if not found or found in own_roles(settings.names, stack):
        return [Finding(check, stack, FINE, f"API Gateway's role for logs is {found or 'not set yet'}")]
    what = f"API Gateway's role for logs is {found}, which is not Glidepath's"
    if kept == "replace":
        return [Finding(check, stack, NOTE, what, "glidepath:api.logRole is replace", "nothing, if you mean it")]
    why = "the account has one for all its APIs: to replace it would change where other teams' logs go"
    fix = f"glidepath:api.logRole in Pulumi.{stack}.yaml: account keeps that role, replace takes Glidepath's own"
    return [Finding(check, stack, PROBLEM, what, why, fix)]


def own_roles(names: Names, stack: str) -> list[str]:
    """The project's own such roles in the stack's account."""
    return [
        names.role_arn(env, "api-logs") for env in names.environments if names.accounts[env] == names.accounts[stack]
    ]


def _kept(stack: str, found: str) -> Finding:
    if found:
        return Finding("api logs", stack, FINE, f"the account's own role for logs stays: {found}")
    why = "glidepath:api.logRole is account, and a stage with an access log needs that role"
    fix = f"take it out of Pulumi.{stack}.yaml, so that Glidepath sets its own; or have the account's owner set one"
    return Finding("api logs", stack, PROBLEM, "the account has no role for API Gateway's logs", why, fix)
