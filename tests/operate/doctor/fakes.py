"""Clients that answer what a test says."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from settings import Settings, parse
from tests.settings.configs import config


def settings(stack: str, **changes: Any) -> Settings:
    """Settings of the tests' own project."""
    return parse(stack, config(stack, **changes))


def refused(code: str = "AccessDeniedException", text: str = "no") -> ClientError:
    """What botocore raises for a code."""
    return ClientError({"Error": {"Code": code, "Message": text}}, "Ask")


class Client:
    """Operations and what each answers: a value, or an error to raise. Paginators give one page."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        answers = self.__dict__["answers"]
        if name not in answers:
            raise AttributeError(name)

        def answer(**_: Any) -> Any:
            if isinstance(answers[name], Exception):
                raise answers[name]
            return answers[name]

        return answer

    def get_paginator(self, name: str) -> Any:
        """One page: what the operation itself answers."""
        return Client(paginate=Pages(getattr(self, name)))


class Pages:
    """Asks only when somebody reads the pages."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask

    def __iter__(self) -> Any:
        yield self._ask()


def clients(**by_service: Client) -> Any:
    """A function from a service's name (hyphens as underscores) to its client."""

    def of(service: str) -> Client:
        return by_service[service.replace("-", "_")]

    return of


def quotas(values: Mapping[str, float]) -> dict[str, Any]:
    """An answer of Service Quotas."""
    return {"Quotas": [{"QuotaName": name, "QuotaCode": "L-1", "Value": value} for name, value in values.items()]}
