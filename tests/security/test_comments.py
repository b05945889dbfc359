"""Attacks of a pull request on its own preview: names that hide, speak, call people or lead elsewhere (F13)."""

from __future__ import annotations

import copy
import html.parser
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from preview.build import report
from preview.model import Report
from preview.render.markdown import markdown
from preview.render.summary import summary
from preview.render.text import text
from tests.preview.prepared import document

HOSTILE = [
    "x\n\n<!-- ",
    "x\r\n\r\n<details>",
    "x`\n\n<!-- `",
    "``<!-- ",
    "\\`<!-- `",
    "x` @octocat [approve](https://evil.example) `y",
    "x\u2028\u2028<!-- ",
    "x</summary></details><!-- ",
    "x\n/approve\n::error::done",
]
# What a pull request may name: its resources, their types, keys of maps, the stack's outputs, roles, actions, ARNs.
PLACES = ["name", "key", "action", "value", "message", "output"]
TAGS = {"details", "summary"}


def hostile(document: Any, text: str, place: str) -> Any:
    """The document with the attacker's text in every place of a kind."""
    found = json.dumps(document)
    quoted = json.dumps(text)[1:-1]
    if place == "name":
        return json.loads(re.sub(r"(urn:pulumi:[^\"\\]*)\"", lambda urn: f'{urn[1]}{quoted}"', found))
    changed = copy.deepcopy(document)
    for step in changed["steps"]:
        for side in ("old", "new"):
            for kind in ("inputs", "outputs"):
                _spoil((step.get(side) or {}).get(kind), text, place)
    if place == "message":
        for finding in changed["findings"]:
            finding["message"] = f"{text} {finding['message']}"
    if place == "output":
        changed["outputs"] = {**changed["outputs"], "new": {**changed["outputs"]["new"], text: text}}
    return changed


def _spoil(properties: Any, text: str, place: str) -> None:
    if not isinstance(properties, dict):
        return
    for key, value in list(properties.items()):
        if place == "key" and isinstance(value, dict):
            properties[key] = {**value, text: "changed"}
        if place == "value" and isinstance(value, str) and not value.startswith("arn:"):
            properties[key] = value + text
        if place == "action" and isinstance(value, str) and '"Statement"' in value:
            properties[key] = value.replace('"Action"', f'"Action": {json.dumps([text])}, "Was"', 1)


class Tags(html.parser.HTMLParser):
    """The tags of what is not code, and its comments."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)

    def handle_comment(self, data: str) -> None:
        self.found.add("comment")

    def handle_decl(self, decl: str) -> None:
        self.found.add("declaration")


def outside(line: str) -> str:
    """A line without its code, by Markdown's own rule: a run of quotes ends at the next run as long as it."""
    return re.sub(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line)


def check(found: Report) -> None:
    comment = markdown(found)
    for line in comment.split("\n"):
        assert re.match(r"(- |  - |## |\||<details|<summary>|</details>|`|Nothing|Destroying|… |$)", line), line
        tags = Tags()
        tags.feed(outside(line))
        assert tags.found <= TAGS, line
        if "in US dollars: http" not in line:
            assert not re.search(r"@\w|://|\]\(", outside(line)), line
    assert not re.search("[\r\u2028\u2029\x1b]", comment)
    for plain in (text(found), summary(found)):
        assert not re.search("[\r\u2028\u2029\x1b]", plain)
    assert "\n" not in summary(found)
    assert "://" not in summary(found)
    assert not any(line.startswith(("::", "/")) for line in text(found).split("\n"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["wider-role", "dropped-capture", "renamed-component"])
def test_f13_known_attacks_stay_text(name: str, place: str) -> None:
    head, base = document(name), document("no-change")
    for attack in HOSTILE:
        check(report(hostile(head, attack, place), base, "main"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    attack=st.text(alphabet=st.sampled_from("x `\n\r\\<!->@#[](){}/:*_~|&$\u2028\u200b\x1b"), min_size=1, max_size=24),
    place=st.sampled_from(PLACES),
)
@example(attack="```<!-- ", place="message")
def test_f13_no_name_leaves_its_line(attack: str, place: str) -> None:
    check(report(hostile(document("dropped-capture"), attack, place), None))
