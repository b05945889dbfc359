"""A config of the tests' own, unlike the committed one, as Pulumi hands it over."""

import json
from typing import Any

ACCOUNTS = {"delivery": "011111111111", "test": "022222222222", "live1": "033333333333"}
DATASET: dict[str, Any] = {
    "columns": {"species": "string", "bill": "number", "year": "integer", "mass": "number"},
    "target": "mass",
    "features": ["bill_length", "is_gentoo"],
    "slices": [{"feature": "is_gentoo", "edges": [0.5]}, {"feature": "bill_length", "quantiles": 3}],
    "metric": {"name": "mae", "threshold": 600},
}
_EACH: dict[str, Any] = {"name": "penguins", "accounts": ACCOUNTS, "environments": ["test", "live1"]}
_CONFIG: dict[str, dict[str, Any]] = {
    "delivery": {
        **_EACH,
        "approval": {"mails": ["a@example.com", "b@example.com"]},
        "dataset": DATASET,
        "state": {"backend": "s3://penguins-state"},
    },
    "test": {**_EACH, "deployment": {"kind": "all-at-once"}, "capture": {"days": 7}},
    "live1": {
        **_EACH,
        "endpoint": {"instanceCount": 3},
        "autoscaling": {"min": 2, "max": 8},
        "alarms": {"mails": ["oncall@example.com"]},
    },
}


def document(stack: str, **changes: Any) -> dict[str, Any]:
    """Config of a stack as its file has it, with changes (`None` takes a key away)."""
    own = {f"glidepath:{key}": value for key, value in {**_CONFIG[stack], **changes}.items() if value is not None}
    return {"aws:region": "us-east-1", "aws:profile": "own", **own}


def config(stack: str, **changes: Any) -> dict[str, str]:
    """Config of a stack as Pulumi hands it over: every value as text."""
    given = document(stack, **changes)
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
