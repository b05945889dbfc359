"""Texts as SQL that Spark and DuckDB read alike."""

from __future__ import annotations

import re


def literal(text: str) -> str:
    """A text as an expression, whatever is in it.

    A quote is doubled in one engine and escaped in the other, a backslash escapes in Spark alone, and `${` is replaced
    there: https://spark.apache.org/docs/3.5.6/sql-ref-literals.html, `spark.sql.variable.substitute`.
    """
    parts = [part for part in re.split(r"(['\\$\x00-\x1f])", text) if part]
    if not parts:
        return "''"
    told = [f"CHR({ord(part)})" if re.fullmatch(r"['\\$\x00-\x1f]", part) else f"'{part}'" for part in parts]
    return told[0] if len(told) == 1 else f"CONCAT({', '.join(told)})"
