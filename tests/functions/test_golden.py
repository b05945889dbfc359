"""Reading golden records."""

from __future__ import annotations

import json

import pytest

from contracts.fields import FieldError
from functions.shared.golden import parse_golden
from tests.functions import samples


def test_a_record_that_no_caller_may_send_is_refused() -> None:
    document = samples.golden()
    document["records"][1]["features"]["distance"] = 1e39
    with pytest.raises(FieldError, match=r"golden\.records\[1\]\.features\.distance: is larger than a model can"):
        parse_golden(json.dumps(document))
