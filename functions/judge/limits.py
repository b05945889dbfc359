"""Hard limits: what needs no comparison, by alarms on the new version's minutes, without the judge's delay.

Three failed requests in a minute that are three in ten of it. An endpoint that errs once in a hundred requests reaches
that in less than 0.1 % of shifts, at whatever traffic; one that fails half of its requests does with the third failure.
The same limits hold for slow requests, crashes and an endpoint's 5XX.
"""

EVENTS = 3
"""In one minute, of one kind."""
SHARE = 0.3
"""Of the requests of that minute."""


def reached(requests: int, events: int) -> bool:
    """Whether a minute of the new version stops the shift."""
    return events >= EVENTS and events >= SHARE * requests
