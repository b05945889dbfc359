"""Secrets in plain text: by what a variable is called, and by what a value looks like."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from .model import Context, Finding, Resource, Rule, text
from .references import NIST, WELL_ARCHITECTED

_KINDS = (
    r"password|passwd|pwd|passphrase|secret|token|credentials?|db_?pass"
    r"|(api|access|secret|private|encryption|signing|master|hmac|jwt|ssh|fernet|cipher|shared|auth|account)_?key"
)
# What a name says last is what the value is: the URL of a token, the length of a password.
_ABOUT = (
    "alias|algorithm|arn|audience|bucket|count|days|enabled|endpoint|expir(es|y|ation)|field|file|header|host|hours|id"
    "|issuer|length|limit|location|manager|max|min|minutes|mode|name|param|parameter|path|policy|prefix|provider|ref|region"
    "|rotation|seconds|size|source|store|table|timeout|ttl|type|uri|url|user|username|version"
)
_NAMED = re.compile(rf"(^|[_./-])({_KINDS})([_./-](?!({_ABOUT})$)[a-z0-9]+)?$", re.IGNORECASE)
_LAST = re.compile(rf"(^|[_./-])({_ABOUT})$", re.IGNORECASE)
_VALUE = re.compile(
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}|\bglpat-[\w-]{20,}|\bnpm_[A-Za-z0-9]{36}|\bpypi-[\w-]{16,}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}|\bxapp-[0-9A-Za-z-]{10,}|\bhooks\.slack\.com/services/\w+/\w+/\w{16,}"
    r"|\b[sr]k_(live|test)_[0-9A-Za-z]{16,}|\bsk-[\w-]{20,}|\bhf_[A-Za-z0-9]{30,}|\bdop_v1_[0-9a-f]{32,}"
    r"|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bshpat_[0-9a-f]{32}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|\b(Bearer|Basic) [A-Za-z0-9+/._=-]{20,}"
    r"|\b[a-z][a-z0-9+]*://[^/\s:@]*:(?!\$\{|\{\{|\$\()[^/\s:@]{3,}@|\b(password|pwd|AccountKey)=(?![${])[^;\s&\"']{3,};?",
)
_REFERENCE = re.compile(
    r"^(arn:|/|s3://|https?://[^@]*$|\{\{resolve:|\$|alias/|true$|false$|none$|\d{1,4}$)", re.IGNORECASE
)
_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
# A secret's own name (`prod/db-credentials`), and the name of a header (`X-CSRF-Token`), are no secrets.
_PATH = re.compile(r"^[a-z][a-z0-9_.-]+(/[a-z][a-z0-9_.-]+)+$")
_WORDS = re.compile(
    r"^[a-z0-9]+([-_.][a-z0-9]+)*[-_.](secrets?|credentials?|passwords?|tokens?|keys?)([-_.][a-z0-9]+)*$"
)
_HEADER = re.compile(r"^[Xx](-[A-Za-z]+)+$|^([A-Z][a-z]+)(-[A-Z][A-Za-z]*)+$|^(Authorization|Cookie)$")
_VARIABLES = frozenset(
    (
        "variables", "environment", "environmentvariables", "defaultarguments", "parameters", "configuration",
        "envvars", "options", "headers",
    )
)  # fmt: skip
"""Where members of an object are variables, by the object's name."""
_LINE = re.compile(r"^\s*(?:export\s+|set\s+|ENV\s+)?([A-Za-z_]\w*)=[\"']?([^\s\"']+)", re.MULTILINE)
_SCRIPTS = frozenset({"userData", "userDataBase64", "onStart", "onCreate", "content", "buildspec"})
_KEEPERS = ("aws:secretsmanager/", "aws-native:secretsmanager:")
_ELSEWHERE = frozenset({"PARAMETER_STORE", "SECRETS_MANAGER", "SecureString"})
_Found = tuple[str, str, str, bool]


def plain_secret(resource: Resource, context: Context) -> Iterator[Finding]:
    """No secret in plain text."""
    if not resource.type.startswith(("aws:", "aws-native:")) or resource.type.startswith(_KEEPERS):
        return
    told: set[tuple[str, str]] = set()
    for place, name, value, variable in _all(resource):
        if (place, name) in told:
            continue
        if (variable and _by_name(name, value)) or _VALUE.search(value):
            told.add((place, name))
            yield Finding(f"holds a secret in plain text: {name}", place)


def _by_name(name: str, value: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    if not value or not _NAMED.search(words) or _LAST.search(words):
        return False
    return not any(each.search(value) for each in (_REFERENCE, _UUID, _PATH, _WORDS, _HEADER))


def _all(resource: Resource) -> Iterator[_Found]:
    """Every text that a resource holds: place, name, value, whether it is a variable."""
    props = resource.props
    if resource.kind == "aws:ssm/parameter:Parameter" or resource.type == "aws-native:ssm:Parameter":
        if text(props.get("type")) not in _ELSEWHERE:
            yield "value", text(props.get("name")) or resource.name, text(props.get("value")), True
        return
    for name, value in props.items():
        yield from _texts(value, name, "", False)


def _texts(value: Any, name: str, place: str, variable: bool) -> Iterator[_Found]:
    if isinstance(value, str):
        yield from _text(value, name, place or name, variable)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name, place, variable)
    elif isinstance(value, dict):
        path = f"{place}.{name}" if place else name
        pair = _pair(value)
        if pair is not None:
            yield from ((path, *each) for each in pair)
            return
        for key, each in value.items():
            yield from _texts(each, str(key), path, name.lower() in _VARIABLES)


def _pair(value: dict[str, Any]) -> list[tuple[str, str, bool]] | None:
    """A variable that is spelled as an object of name and value; None where it is no such object."""
    found = {str(key).lower(): each for key, each in value.items()}
    if not {"name", "value"} <= set(found):
        return None
    if found.get("type") in _ELSEWHERE:
        return []
    return [(text(found["name"]), text(found["value"]), True)]


def _text(value: str, name: str, place: str, variable: bool) -> Iterator[_Found]:
    if name in _SCRIPTS:
        script = _decoded(value)
        yield from ((place, each[1], each[2], True) for each in _LINE.finditer(script))
        yield place, name, script, False
    elif value[:1] in ("{", "["):
        try:
            yield from _texts(json.loads(value), name, "" if place == name else place, variable)
        except (ValueError, RecursionError):
            yield place, name, value, variable
    else:
        yield place, name, value, variable


def _decoded(value: str) -> str:
    """A script, which machines are given in base64 as well."""
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return value


RULES = (
    Rule(
        "plain-secret",
        "exposure",
        "mandatory",
        "critical",
        "No secret stands in plain text",
        "whoever may describe the resource, or reads the state or a log, has the secret",
        "keep it in Secrets Manager (or as a SecureString) and give the resource its ARN",
        (NIST["IA-5"], WELL_ARCHITECTED["SEC02-BP03"]),
        plain_secret,
    ),
)
