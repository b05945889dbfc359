"""The provider of TrafficShift.

It is pickled into the state by its name and runs in a process of its own, which shares nothing with the program's; what
it needs of AWS's SDK, it imports when it works.
"""

from typing import Any

from pulumi import dynamic

from providers.process import CANCELLED, served
from providers.traffic_shift.capacity import Capacity, CapacityError
from providers.traffic_shift.lookup import alias_of
from providers.traffic_shift.shifting import ShiftError, Shifting, say


class TrafficShiftProvider(dynamic.ResourceProvider):
    """Starts the deployment, reports each step, waits for the end."""

    serialize_as_secret_always = False
    _region: str | None = None
    _profile: str | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Use the account and region of the stack's AWS provider."""
        self._region = req.config.get("aws:region")
        self._profile = req.config.get("aws:profile")

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """Another version (or alias) needs a shift, and so does an alias that is not where the last one left it.

        The rest is how a shift is made.
        """
        moved = any(olds.get(key) != news.get(key) for key in ("version", "release"))
        replaces = [key for key in ("function", "alias") if olds.get(key) != news.get(key)]
        changes = moved or bool(replaces) or self._elsewhere(olds)
        return dynamic.DiffResult(changes=changes, replaces=replaces, delete_before_replace=False)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Shift, unless the alias is at the version already (as at the first release)."""
        with served():
            self._shift(props)
        return dynamic.CreateResult(f"{props['function']}:{props['alias']}", _outputs(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Shift to the new version."""
        with served():
            self._shift(news)
        return dynamic.UpdateResult(_outputs(news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """At which version the alias really is, so that a refresh sees what was moved by hand."""
        lambda_ = self._client("lambda")
        try:
            alias = alias_of(lambda_, props)
        except lambda_.exceptions.ResourceNotFoundException:
            return dynamic.ReadResult("", {})
        return dynamic.ReadResult(id_, {**_outputs(props), "version": alias.version})

    def _elsewhere(self, props: dict[str, Any]) -> bool:
        """Was the alias moved by hand, or left with weights? No state knows it, so each update looks."""
        from botocore.exceptions import BotoCoreError, ClientError

        lambda_ = self._client("lambda")
        try:
            alias = alias_of(lambda_, props)
        except lambda_.exceptions.ResourceNotFoundException:
            return False
        except (BotoCoreError, ClientError) as error:
            raise ShiftError(
                f"where alias {props['alias']} of {props['function']} is cannot be read: {error}"
            ) from None
        return bool(alias.weights) or alias.version != props["version"]

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        # A shift takes minutes to hours: a minute without an answer must not be its end.
        patient = Config(retries={"mode": "standard", "total_max_attempts": 10})
        return boto3.Session(profile_name=self._profile, region_name=self._region).client(service, config=patient)

    def _shift(self, props: dict[str, Any]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        capacity = Capacity(self._client, props, CANCELLED, say)
        try:
            with capacity.held():
                Shifting(self._client, props).run()
        except CapacityError as error:
            raise ShiftError(f"release {props['release']}: {error}") from None
        except (BotoCoreError, ClientError) as error:
            raise ShiftError(
                f"release {props['release']} could not be shifted: {error}. A deployment that is under way goes on by"
                " itself; run this again to see its end"
            ) from None


def _outputs(props: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if not key.startswith("__")}
