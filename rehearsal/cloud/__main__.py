"""`python -m rehearsal.cloud --port 4599 --root .rehearsal/cloud`: the gateway in the foreground."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from rehearsal.environment import DEFAULT_PORT, DEFAULT_SECONDS_PER_MINUTE, ESTABLISHED, NEW
from rehearsal.warm import SERVER


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.cloud", description="Run the rehearsal's gateway.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (0: any free one)")
    parser.add_argument("--root", type=Path, default=Path(".rehearsal/cloud"), help="folder for scratch data")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier gateway has kept in the folder")
    parser.add_argument(
        "--seconds-per-minute", type=float, default=DEFAULT_SECONDS_PER_MINUTE, help="how long an AWS minute lasts"
    )
    parser.add_argument(
        "--accounts", choices=(ESTABLISHED, NEW), default=ESTABLISHED, help="new: refuse what AWS refuses a new account"
    )
    parser.add_argument("--warm", type=Path, metavar="SOCKET", help="socket at which Python processes start warm")
    parser.add_argument("--secret", type=Path, metavar="FILE", help="file with the secret of administrators' keys")
    options = parser.parse_args()
    from rehearsal.cloud.core import snapshot
    from rehearsal.cloud.gateway.server import PortInUseError
    from rehearsal.cloud.process import lifecycle
    from rehearsal.cloud.process.running import RunningCloud

    options.root.mkdir(parents=True, exist_ok=True)
    saved = options.root.resolve() / lifecycle.SNAPSHOT
    kept = saved if saved.exists() and not options.fresh else None
    try:
        secret = options.secret.read_text().strip() if options.secret else ""
        running = RunningCloud(options.root.resolve(), options.port, options.seconds_per_minute, kept, secret)
        running.cloud.new_accounts = options.accounts == NEW
    except PortInUseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except snapshot.SnapshotError as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    # It tells how things were: a gateway that is killed must not be followed by one that knows only that.
    saved.unlink(missing_ok=True)
    ended = threading.Event()
    keeping = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        # The usual end keeps what there is; whoever interrupts wants it to be over.
        if number == signal.SIGTERM:
            keeping.set()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    running.start()
    if options.warm:
        running.cloud.run_process([sys.executable, "-P", str(SERVER), str(options.warm)], os.environ)
    print(f"the rehearsal's cloud is up at {running.cloud.url}", flush=True)
    ended.wait()
    running.stop(saved if keeping.is_set() else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
