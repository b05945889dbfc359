"""The monthly bill before and after."""

from collections.abc import Mapping

from preview.cost.prices import Prices, dated, source
from preview.cost.usage import ASSUMPTIONS, unpriced, uses
from preview.model import Cost, ServiceCost
from preview.plan import Resource

Resources = Mapping[str, Resource]


def estimate(before: Resources, after: Resources, region: str) -> Cost:
    """What both sides cost by the table. What has no known price is named, and counts in neither sum."""
    prices = Prices(region)
    old, new = _sums(before, prices), _sums(after, prices)
    services = [
        ServiceCost(
            name,
            sum(dollars for dollars, _ in old.get(name, ())),
            sum(dollars for dollars, _ in new.get(name, ())),
            _items(old.get(name, []), new.get(name, [])),
        )
        for name in sorted({*old, *new})
    ]
    missing = sorted(prices.missing | set(unpriced(before)) | set(unpriced(after)))
    sources = tuple(source(name) for name in sorted(prices.sources))
    return Cost(region, dated(), tuple(services), ASSUMPTIONS, tuple(missing), sources)


def _sums(resources: Resources, prices: Prices) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for use in uses(resources):
        price = prices.price(use.what, use.which)
        if price is not None:
            found.setdefault(use.service, []).append((price * use.units, use.text))
    return found


def _items(old: list[tuple[float, str]], new: list[tuple[float, str]]) -> tuple[str, ...]:
    """How the figures come about: a line each for what comes, goes or stays."""
    lines = [f"{_sign(text, old, new)}{text}: ${dollars:,.2f}" for dollars, text in new]
    lines += [f"no longer {text}: ${dollars:,.2f}" for dollars, text in old if text not in {t for _, t in new}]
    return tuple(sorted(lines))


def _sign(text: str, old: list[tuple[float, str]], new: list[tuple[float, str]]) -> str:
    return "" if not old or text in {t for _, t in old} else "new: "
