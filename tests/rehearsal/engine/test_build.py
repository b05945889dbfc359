"""What share of a build is done: it rises with each package that is named, and between them."""

import pytest

from rehearsal.engine.build import Steps


def test_the_share_rises_with_every_line_and_never_reaches_all() -> None:
    steps = Steps(10)
    shares = [steps.share(0.0)]
    for number in range(10):
        steps.read([f"package/{number}\n"])
        shares.append(steps.share(0.0))
    assert shares == pytest.approx([0.09 * number for number in range(11)])
    assert steps.last == "package/9"


def test_the_share_goes_on_while_a_package_takes_its_time() -> None:
    steps = Steps(100)
    steps.read(["package\n"] * 40)
    found = [steps.share(waited) or 0.0 for waited in (0, 1, 10, 60, 600, 6000)]
    assert found == sorted(set(found))
    assert found[-1] < 0.36 + 0.051
    # The next line is no step back.
    steps.read(["package\n"])
    assert (steps.share(0.0) or 0.0) == found[-1]


def test_linking_moves_on_as_well() -> None:
    steps = Steps(3)
    steps.read(["a\n", "b\n", "c\n"])
    assert 0.9 < (steps.share(30.0) or 0.0) < (steps.share(300.0) or 0.0) < 1


def test_without_a_total_there_is_no_share() -> None:
    steps = Steps(0)
    steps.read(["go: downloading something\n"])
    assert steps.share() is None
