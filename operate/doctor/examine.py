"""All checks, in the order in which a person would put things right."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from contracts.names import DELIVERY, Names
from operate import stack_files
from operate.checks import config
from operate.clients import Clients
from operate.doctor import accounts, machine, needs, people, quotas, services, state
from operate.doctor.finding import FINE, PROBLEM, UNCHECKED, Finding, Unread, attempt
from settings import Settings

Ask = Callable[[str, str], Any]
"""Stack and service → client."""


def examine(
    root: Path, clients: Clients, names: Names, bootstrap: str, folder: Path | None = None
) -> Iterator[Finding]:
    """Every finding, one after the other as it is made.

    `bootstrap` is the command that makes the place of the state; `folder` holds the stack files in use, where that is
    not `root`.
    """
    yield from machine.check(machine.look(root))
    result, configs = config.check(root)
    for fault in result.findings:
        why, fix = "nothing can be made of it", "correct the file; docs/configuration.md has every key"
        yield Finding("config", fault.where, PROBLEM, fault.message, why, fix)
    if result.ok:
        yield Finding("config", "all stacks", FINE, result.summary)
    answering = []
    for stack in names.stacks:
        given = configs.given.get(stack, {})
        account, profile = names.accounts[stack], names.stack(stack)
        who = accounts.look(partial(clients.of, stack, "sts"))
        found = accounts.check(stack, account, profile, who)
        yield found
        yield from accounts.agree(stack, account, profile, given)
        if found.status == FINE:
            answering.append(stack)
        else:
            yield Finding("account", stack, UNCHECKED, "nothing else was asked in this account",
                          "its credentials come first", "see above")  # fmt: skip
    settings = {stack: configs.settings[stack] for stack in answering if stack in configs.settings}
    if DELIVERY in settings:
        providers = secrets_providers(folder or root, names.stacks)
        stored = state.look(settings[DELIVERY].state, providers, partial(clients.of, DELIVERY))
        yield from state.check(settings[DELIVERY].state, providers, stored, bootstrap)
    yield from _quotas(settings, clients.of, names)
    for stack, own in settings.items():
        yield from _services(own, partial(clients.of, stack))


def secrets_providers(folder: Path, stacks: list[str]) -> dict[str, str]:
    """What each stack's file names as its secrets provider; `passphrase` where it has a salt, empty where neither."""
    found = {}
    for stack in stacks:
        path = folder / stack_files.file_of(stack)
        document = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None) or {}
        salted = "passphrase" if document.get("encryptionsalt") else ""
        found[stack] = str(document.get("secretsprovider") or salted)
    return found


def _quotas(settings: Mapping[str, Settings], ask: Ask, names: Names) -> Iterator[Finding]:
    for account in dict.fromkeys(names.accounts[stack] for stack in settings):
        stacks = [stack for stack in settings if names.accounts[stack] == account]
        totals = needs.totals(need for stack in stacks for need in needs.of(settings[stack]))
        asked = sorted({total.service for total in totals} - {needs.LAMBDA})
        prefixes = tuple(f"{names.stack(stack)}-" for stack in names.environments)
        found = quotas.look(partial(ask, stacks[0]), names.region, names.stack(stacks[0]), asked, prefixes)
        yield from quotas.check(totals, found)


def _services(settings: Settings, ask: Callable[[str], Any]) -> Iterator[Finding]:
    yield from services.instance_types(settings, services.known_types(ask("sagemaker")))
    yield services.images(settings)
    yield from services.connected(settings, _connection(settings, ask))
    if settings.stack != DELIVERY:
        used: bool | Unread = False
        if settings.monitor.by == "sagemaker":
            used = services.monitored(ask("sagemaker"))
        yield from services.model_monitor_open(settings, used)
        yield from people.api_logs(settings, people.log_role(ask("apigateway")))
    subscribed = people.subscribed(ask("sns"), people.topic(settings)) if people.wanted(settings) else None
    yield from people.mails(settings, subscribed)


def _connection(settings: Settings, ask: Callable[[str], Any]) -> str | Unread | None:
    if settings.stack != DELIVERY or settings.source.kind != "connection":
        return None
    client = attempt(lambda: ask("codeconnections"))
    return client if isinstance(client, Unread) else services.connection(settings, client)
