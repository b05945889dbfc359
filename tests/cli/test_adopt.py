"""What `adopt` says of what a destroyed stack has kept."""

from cli.adopt import afterwards, as_dict, lines
from operate.adopt import ALIAS, BUCKET, Kept, NewKey, Plan

BOTH = (Kept(BUCKET, "dev-capture", "taxis-dev-capture", {}), Kept(ALIAS, "dev", "alias/taxis-dev", {}))


def test_each_thing_is_named() -> None:
    head, *things = lines("dev", Plan({}, BOTH))
    assert head == "dev: these are there, and its next update would create them"
    assert [line.split() for line in things] == [["Bucket", "taxis-dev-capture"], ["Alias", "alias/taxis-dev"]]


def test_where_nothing_was_kept_that_is_said() -> None:
    assert lines("dev", Plan({}, ())) == ["dev has kept nothing that its next update would create"]


def test_a_key_that_is_used_no_more_is_named_with_the_command_that_deletes_it() -> None:
    said = afterwards("dev", Plan({}, BOTH, (NewKey("urn", "k-new", "k-old"),)), "taxis-dev")
    assert said[0].endswith("pulumi up -s dev")
    assert said[-1].strip() == (
        "aws kms schedule-key-deletion --key-id k-new --pending-window-in-days 7 --profile taxis-dev"
    )
    assert len(afterwards("dev", Plan({}, BOTH), "taxis-dev")) == 1


def test_a_machine_reads_the_same() -> None:
    found = as_dict("dev", Plan({}, BOTH, (NewKey("urn", "k-new", "k-old"),)), True)
    assert found == {
        "stack": "dev",
        "adopted": True,
        "kept": [
            {"type": BUCKET, "name": "dev-capture", "id": "taxis-dev-capture"},
            {"type": ALIAS, "name": "dev", "id": "alias/taxis-dev"},
        ],
        "replacedKeys": [{"made": "k-new", "kept": "k-old"}],
    }
