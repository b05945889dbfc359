"""Names, keys and paths in Markdown, in a terminal and in a mail."""

from __future__ import annotations

import pytest

from preview.quote import code, flat, line, mail

J = "\u2060"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("prod", "`prod`"),
        ("x\n\n<!-- ", "`x <!--`"),
        ("a`b``c", "`a'b''c`"),
        ("a\u2028b\x1b[31m\u202ec", "`a b [31m c`"),
        ("", "` `"),
    ],
)
def test_a_name_is_code_whatever_it_holds(name: str, shown: str) -> None:
    assert code(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("role `a` is **deleted**: $93.44 → `<b>`", "role `a` is **deleted**: $93.44 → `<b>`"),
        ("x\n\n<!-- y", "x &lt;!-- y"),
        ("```<!-- `", "'&lt;!-- "),  # an opening of three is none, and what follows it would be markup
        ("a\\`<!-- `", "a\\\\`<!-- `"),  # a quote behind a backslash is none
        ("a `b", "a b"),
        ("@team see #12, !3 and GH-4", f"@{J}team see #{J}12, !{J}3 and GH{J}-4"),
        ("&#64;team", f"&{J}#{J}64;team"),
        ("[go](https://evil)", f"[go]{J}(https:{J}//evil)"),
        ("[x] approved", f"[{J}x] approved"),
        ("[go]: www.evil", f"[go]{J}: www{J}.evil"),
        ("[capture-enabled] of it", "[capture-enabled] of it"),
        ("$\\phantom{x}$", f"${J}\\\\phantom{{x}}${J}"),
    ],
)
def test_a_line_keeps_its_code_and_no_other_markup(text: str, shown: str) -> None:
    assert line(text) == shown


def test_a_mail_has_no_links_and_no_quotes() -> None:
    assert mail("`a`\n**b** at https://evil") == f"a b at https:{J}//evil"
    assert flat(" a\r\n b ") == "a b"
