"""A gateway running inside this process."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal.cloud.core import accounts, snapshot, store
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Ports
from rehearsal.cloud.gateway import handlers, server
from rehearsal.cloud.gateway.gateway import Gateway
from rehearsal.cloud.services import logs
from rehearsal.cloud.services.cloudwatch import operations as cloudwatch
from rehearsal.cloud.services.events import operations as events


def _ports(cloud: Cloud) -> Ports:
    """The one place where the core learns of services and of the gateway."""
    return Ports(
        event=partial(events.emit, cloud),
        metric=partial(cloudwatch.record, cloud),
        log=partial(logs.append, cloud),
        perform=partial(handlers.perform, cloud),
    )


class SecondGatewayError(RuntimeError):
    """The process has a gateway already. moto's backends, and what is hooked into them, are the process's."""


class RunningCloud:
    """Start with `RunningCloud(root, port)`; `port` 0 takes a free one. `serve()` blocks, `start()` does not."""

    _only = threading.Lock()

    def __init__(
        self, root: Path, port: int = 0, seconds_per_minute: float = 1.0, saved: Path | None = None, secret: str = ""
    ) -> None:
        """`secret` is of every administrator's key (one of its own without), `saved` the file with the state to begin
        with. Raises SecondGatewayError, SnapshotError, PortInUseError.
        """
        if not self._only.acquire(blocking=False):
            raise SecondGatewayError("a gateway already runs in this process; use that one, or start another process")
        if secret:
            accounts.configure(secret)
        self._gateway: Gateway | None = None
        self._ending = False
        self._thread: threading.Thread | None = None
        try:
            self._server = server.listen(self._application, port)
            self.port = self._server.port
            store.configure(self.port)
            self.cloud = Cloud(self.port, root, _ports, seconds_per_minute)
            self._gateway = Gateway(self.cloud, saved)
        except BaseException:
            self._only.release()
            raise

    def _application(self, environ: dict[str, Any], start_response: Any) -> Any:
        assert self._gateway is not None, "the server runs only after the gateway is built"
        if self._ending:
            # What ends with the cloud has not failed, and what is changed now would be lost.
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        return self._gateway(environ, start_response)

    def serve(self) -> None:
        """Serve until `stop()` or KeyboardInterrupt."""
        self._server.run()

    def start(self) -> "RunningCloud":
        self._thread = threading.Thread(target=self.serve, name="gateway", daemon=True)
        self._thread.start()
        return self

    def stop(self, keep: Path | None = None) -> None:
        """End everything that runs; `keep` is the file for the state as it was just before."""
        try:
            if keep:
                snapshot.save(self.cloud, keep)
        finally:
            self._ending = True
            # Threads that wait for what runs would keep the process up for as long as that takes.
            self.cloud.close()
            self._server.close()
            if self._thread is not None:
                self._thread.join(5)
            self._only.release()
