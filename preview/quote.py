"""What a name, a key or a path may do to the text that it stands in: nothing.

A pull request chooses names, and reads its own preview's comment: no name may hide what follows it, speak in our voice,
call people or lead elsewhere. Names go into a text by `code`; every line goes into Markdown by `line`, into a terminal
by `flat` and into a mail by `mail`, for whatever has come another way (a policy's message quotes names, too).
"""

import re

# White space of any alphabet, control characters, and those that turn the direction of what follows.
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_JOINER = "\N{WORD JOINER}"
# What GitHub and GitLab make a link, a mention, a reference, a box or a formula of, wherever it stands outside of code.
# A character that nobody sees stops them; an entity does not, as they look at the text of the finished page.
_CALLS = re.compile(
    r"(?i)@(?=\w)|[#!%~](?=\w)|&(?=[#\w])|\$(?!\d)|\](?=[(\[:])|\[(?=[ x]\])"
    r"|\bwww(?=\.)|:(?=//)|\bGH(?=-\d)|\bmailto(?=:)|\bxmpp(?=:)"
)
_MARKUP = str.maketrans({"<": "&lt;", "\\": "\\\\"})


def flat(text: str) -> str:
    """On one line, without characters that a reader cannot see."""
    return _BLANK.sub(" ", text).strip()


def code(text: str) -> str:
    """As Markdown's code, whatever it holds: on one line, with other quotes for back-quotes."""
    return f"`{flat(text.replace('`', chr(39))) or ' '}`"


def line(text: str) -> str:
    """One line of ours as Markdown: code stays code, and outside of it only our own emphasis is left.

    Only single back-quotes are quotes here, as `code` sets them: Markdown pairs them from left to right.
    """
    parts = re.sub("`{2,}", "'", flat(text)).split("`")
    if len(parts) % 2 == 0:
        return _harmless("".join(parts))
    return "".join(f"`{part}`" if number % 2 else _harmless(part) for number, part in enumerate(parts))


def mail(text: str) -> str:
    """One line of ours as plain text for a mail: without quotes, and without links."""
    return _stopped(flat(text).replace("`", "").replace("**", ""))


def _harmless(text: str) -> str:
    return _stopped(text).translate(_MARKUP)


def _stopped(text: str) -> str:
    return _CALLS.sub(lambda found: found[0] + _JOINER, text)
