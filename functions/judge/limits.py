"""Hard limits: what needs little comparison, by alarms on the new version's minutes, without the judge's delay.

Three failed requests in a minute that are three in ten of it, and twice the old version's share. An endpoint that errs
once in a hundred requests reaches that in less than 0.1 % of shifts, at whatever traffic; one that fails half of its
requests does with the third failure. What befalls both versions at once stops nothing. The same limits hold for slow
requests, crashes and an endpoint's 5XX.
"""

EVENTS = 3
"""In one minute, of one kind."""
SHARE = 0.3
"""Of the requests of that minute."""
TIMES = 2
"""The old version's share in the same minute; 0 where it had no request."""


def reached(old_requests: int, old_events: int, requests: int, events: int) -> bool:
    """Whether a minute of the new version stops the shift."""
    if events < EVENTS or events < SHARE * requests:
        return False
    return not old_requests or events / requests >= TIMES * old_events / old_requests
