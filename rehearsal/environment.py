"""Where the rehearsal keeps things, and the environment its children run in.

Nothing here starts a process or imports anything heavy: every command of `./glidepath` loads it.
"""

import configparser
import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.errors import UserError
from rehearsal.warm import LONGEST, SOCKET

DEFAULT_PORT = 4599
DEFAULT_REGION = "eu-west-1"
DEFAULT_SECONDS_PER_MINUTE = 1.0
ESTABLISHED, NEW = "established", "new"
"""Kinds of AWS accounts: one that has long used everything, and one that AWS has opened only now."""

PASSPHRASE = "opens-only-what-a-rehearsal-made"  # noqa: S105
"""Encrypts a state in a folder, which holds nothing secret: it must only be the same every time."""

TOKEN_HEADER = "X-Rehearsal-Token"  # noqa: S105
"""What the gateway's own routes (`/_rehearsal/…`) want to see: `Rehearsal.headers()`."""

_IMPORTS = Path(__file__).resolve().parent.parent
_ACCOUNT = re.compile(r"[0-9]{12}")

# A child must never reach a person's real cloud: what they have set for AWS or Pulumi is taken out before ours goes in.
_FOREIGN = ("AWS_", "PULUMI_", "BOTO_")
_KEPT = frozenset({"AWS_DATA_PATH", "PULUMI_DEBUG_COMMANDS", "PULUMI_OPTION_COLOR"})


@dataclass(frozen=True)
class Rehearsal:
    """Paths, port and variables of one rehearsal.

    root: the folder that holds the package: the checkout, or an environment's site-packages.
    folder: everything the rehearsal writes; may be deleted as a whole while nothing runs.
    port: the gateway's, on 127.0.0.1 only.
    seconds_per_minute: how long one AWS minute lasts, in seconds.
    python: the interpreter that has the project's requirements.
    accounts: `ESTABLISHED`, or `NEW`: those are refused what AWS refuses a new account.
    """

    root: Path = _IMPORTS
    folder: Path = field(default_factory=lambda: _default_folder())
    port: int = DEFAULT_PORT
    seconds_per_minute: float = DEFAULT_SECONDS_PER_MINUTE
    python: Path = field(default_factory=lambda: Path(sys.executable))
    accounts: str = ESTABLISHED

    @classmethod
    def here(cls, env: Mapping[str, str] | None = None) -> "Rehearsal":
        """The rehearsal of this checkout, or of the current folder where the package is installed, as
        `GLIDEPATH_FOLDER`, `GLIDEPATH_PORT`, `GLIDEPATH_SECONDS_PER_MINUTE` and `GLIDEPATH_ACCOUNTS` say.

        Raises UserError for a value that is not a port, not a duration or not a kind of accounts.
        """
        env = os.environ if env is None else env
        folder = env.get("GLIDEPATH_FOLDER")
        return cls(
            folder=Path(folder).absolute() if folder else _default_folder(),
            port=_port(env.get("GLIDEPATH_PORT", "")),
            seconds_per_minute=_seconds(env.get("GLIDEPATH_SECONDS_PER_MINUTE", "")),
            accounts=_accounts(env.get("GLIDEPATH_ACCOUNTS", "")),
        )

    @property
    def endpoint(self) -> str:
        """The gateway's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> Path:
        """A folder for Pulumi's state. Where it is there, it holds the state of every stack.

        It stands for an administrator's `pulumi login`: for programs that have no project's bucket and key.
        """
        return self.folder / "state"

    @property
    def pulumi_home(self) -> Path:
        """Plugins and workspaces: the rehearsal's own, so that the stand-in provider never shadows a real one."""
        return self.folder / "pulumi-home"

    @property
    def project(self) -> Path:
        """The program as the engine sees it: links to the checkout's entries, and stack files that it may write to."""
        return self.folder / "project"

    @property
    def bin(self) -> Path:
        """The engine and its language host, first on the children's PATH."""
        return self.folder / "bin"

    @property
    def warm(self) -> Path | None:
        """The socket of warm starts; None where there are none.

        Only Linux lets a process go on safely that was forked and not started anew. A socket's path must be short.
        """
        path = self.folder / SOCKET
        return path if sys.platform == "linux" and len(str(path)) <= LONGEST else None

    @property
    def cloud(self) -> Path:
        """The gateway's scratch data, log and process id."""
        return self.folder / "cloud"

    @property
    def aws_config(self) -> Path:
        return self.folder / "aws" / "config"

    @property
    def aws_credentials(self) -> Path:
        return self.folder / "aws" / "credentials"

    @property
    def secret_file(self) -> Path:
        """The secret of every administrator's key of this rehearsal. Only its owner reads it."""
        return self.folder / "aws" / "secret"

    def secret(self) -> str:
        """The secret in that file, made where there is none yet."""
        if not self.secret_file.exists():
            _make_secret(self.secret_file)
        return self.secret_file.read_text(encoding="ascii").strip()

    def headers(self) -> dict[str, str]:
        """What a request to the gateway's own routes needs."""
        return {TOKEN_HEADER: token(self.secret())}

    @property
    def report_json(self) -> Path:
        return self.folder / "report.json"

    @property
    def report_html(self) -> Path:
        return self.folder / "report.html"

    def tools(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """What any child needs to run Pulumi against the rehearsal, without any credentials.

        Builds get this plus the credentials of their role. `base` is the environment to start from (default: ours);
        its AWS and Pulumi settings are left out.
        """
        base = os.environ if base is None else base
        env = {k: v for k, v in base.items() if k in _KEPT or not k.startswith(_FOREIGN)}
        venv_bin = self.python.parent
        env |= {
            "PATH": _path(base.get("PATH", os.defpath), venv_bin, self.bin),
            "VIRTUAL_ENV": str(venv_bin.parent),
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # An engine lives for seconds, and machines have memory: an eighth of its processor time was collecting.
            "GOGC": base.get("GOGC", "400"),
            # A plugin that is not here must be an error: the rehearsal never downloads a real provider.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            # Go's SDK knows the other only once it has credentials, and a web identity has to ask STS for them.
            "AWS_ENDPOINT_URL_STS": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": _no_proxy(base),
            "GLIDEPATH_FOLDER": str(self.folder),
            "GLIDEPATH_PORT": str(self.port),
            "GLIDEPATH_SECONDS_PER_MINUTE": f"{self.seconds_per_minute:g}",
            "GLIDEPATH_ACCOUNTS": self.accounts,
        }
        for foreign in ("PYTHONHOME", "GLIDEPATH_PROJECT"):
            env.pop(foreign, None)
        if self.state.is_dir():
            env |= {"PULUMI_BACKEND_URL": self.state.as_uri(), "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
        return env

    def environ(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a person at the keyboard: `tools()`, the administrator's profiles, the stack files."""
        env = self.tools(base) | {
            "AWS_CONFIG_FILE": str(self.aws_config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.aws_credentials),
        }
        return env | ({"GLIDEPATH_PROJECT": str(self.project)} if self.project.is_dir() else {})

    def write_credentials(self, accounts: Mapping[str, str], region: str = DEFAULT_REGION) -> None:
        """Write the administrator's profiles: profile name → 12-digit account id.

        The profile `default` is the tooling account's; without one, the first given account stands for it.
        Raises UserError for an id that is not an account id.
        """
        for profile, account in accounts.items():
            if not _ACCOUNT.fullmatch(account):
                raise UserError(f"account id {account!r} of profile {profile!r} is not 12 digits")
        profiles = dict(accounts)
        profiles.setdefault("default", next(iter(accounts.values()), "000000000000"))
        config, credentials = _ini(), _ini()
        for profile, account in profiles.items():
            section = profile if profile == "default" else f"profile {profile}"
            config[section] = {"region": region, "output": "json"}
            credentials[profile] = {"aws_access_key_id": access_key(account), "aws_secret_access_key": self.secret()}
        _write_private(self.aws_config, config)
        _write_private(self.aws_credentials, credentials)

    def keep_state_here(self) -> None:
        """Give programs without a bucket for their state a folder, unless `pulumi login` has named another place."""
        if not (self.pulumi_home / "credentials.json").exists():
            self.state.mkdir(parents=True, exist_ok=True)

    def prepare(self) -> None:
        """Make the folders that children expect to find, and the default profile where there is none yet."""
        for folder in (self.pulumi_home, self.bin):
            folder.mkdir(parents=True, exist_ok=True)
        # The engine compresses a log of all that it does into this folder: a sixth of its work in a preview, and
        # nobody reads it here. Where the folder cannot be made it does without ("automatic logging unavailable",
        # https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/cmd/pulumi/pulumi.go); `-v` and `--logtostderr` still log.
        if not (logs := self.pulumi_home / "logs").exists():
            logs.touch()
        if not self.aws_credentials.exists():
            self.write_credentials({"default": "000000000000"})
        elif not self.secret_file.exists():
            self._renew_credentials()

    def _renew_credentials(self) -> None:
        """Profiles of before, when every rehearsal had the same secret, get this one's."""
        credentials = _ini()
        credentials.read(self.aws_credentials, encoding="utf-8")
        for profile in credentials.sections():
            credentials[profile]["aws_secret_access_key"] = self.secret()
        _write_private(self.aws_credentials, credentials)


def access_key(account: str) -> str:
    """The administrator's access key id of an account."""
    return f"AKIA{account}"


def token(secret: str) -> str:
    """What opens the gateway's own routes: made of the secret, which it does not tell."""
    return hashlib.sha256(f"rehearsal-token {secret}".encode()).hexdigest()


def cache_folder(env: Mapping[str, str] | None = None) -> Path:
    """The user's cache folder for this project; survives the checkout."""
    env = os.environ if env is None else env
    base = env.get("XDG_CACHE_HOME") or ""
    # The XDG specification has relative values ignored.
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "glidepath"


def _default_folder() -> Path:
    # A wheel does not carry its pyproject.toml: where one lies beside us, this is a checkout.
    checkout = (_IMPORTS / "rehearsal" / "pyproject.toml").is_file()
    return (_IMPORTS if checkout else Path.cwd()) / ".rehearsal"


def _path(old: str, *first: Path) -> str:
    ours = [str(folder) for folder in first]
    return os.pathsep.join([*ours, *(p for p in old.split(os.pathsep) if p and p not in ours)])


def _no_proxy(base: Mapping[str, str]) -> str:
    old = base.get("NO_PROXY") or base.get("no_proxy") or ""
    hosts = [host for host in old.split(",") if host]
    return ",".join([*hosts, *(h for h in ("127.0.0.1", "localhost") if h not in hosts)])


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if text.isascii() and text.isdigit() and 1024 <= int(text) <= 65535:
        return int(text)
    raise UserError(f"GLIDEPATH_PORT={text!r} is not a port", "Give a number from 1024 to 65535.")


def _seconds(text: str) -> float:
    if not text:
        return DEFAULT_SECONDS_PER_MINUTE
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0.01 <= value <= 60:
        return value
    raise UserError(
        f"GLIDEPATH_SECONDS_PER_MINUTE={text!r} is not a duration", "Give the seconds one AWS minute lasts, 0.01 to 60."
    )


def _accounts(text: str) -> str:
    if text in ("", ESTABLISHED, NEW):
        return text or ESTABLISHED
    raise UserError(f"GLIDEPATH_ACCOUNTS={text!r} is not a kind of accounts", f"Give {ESTABLISHED} or {NEW}.")


def _ini() -> configparser.ConfigParser:
    # botocore reads "default" as a section of its own, so configparser's magic DEFAULT must not swallow it.
    return configparser.ConfigParser(default_section="", interpolation=None)


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(os.urandom(20).hex() + "\n")
    # Linked, not moved: of two commands at once the first one's stays.
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _write_private(path: Path, content: configparser.ConfigParser) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        content.write(file)
    draft.replace(path)
