"""The program as the rehearsal's engine sees it: the checkout, but for its stack files.

An engine writes to stack files, and reads there how secrets are encrypted. A rehearsal has a state of its own, so its
stack files are its own too: the checkout's, with what the rehearsal's state needs instead of what theirs does.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

from contracts.names import DELIVERY
from operate.stack_files import file_of, with_secrets_of
from rehearsal.environment import Rehearsal

_STACK_FILES = "Pulumi.*.yaml"
_STATE = "glidepath:state"


def lay_out(rehearsal: Rehearsal) -> Path:
    """Bring the folder to what the checkout is now; its path. Nothing in the checkout is written to.

    What is there already stays in place: an engine may be at work in it. So does what says how its state is encrypted.
    """
    folder, checkout = rehearsal.project, rehearsal.root
    folder.mkdir(parents=True, exist_ok=True)
    own = stack_files(checkout, folder)
    # Python makes a folder of its own for what it has compiled, here as there.
    ours = (entry for entry in checkout.iterdir() if entry.name != "__pycache__")
    links = {entry.name: entry for entry in ours if not rehearsal.folder.is_relative_to(entry)}
    for entry in folder.iterdir():
        if entry.name not in own.keys() | links.keys() and not (entry.is_dir() and not entry.is_symlink()):
            entry.unlink()
    for name in links.keys() - own.keys():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(links[name])
    for name, text in own.items():
        _write(folder / name, text)
    return folder


def clear(project: Path) -> None:
    """Forget the stack files of an earlier state."""
    for path in project.glob(_STACK_FILES):
        path.unlink()


def _write(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def stack_files(checkout: Path, project: Path) -> dict[str, str]:
    """The checkout's project file and every stack's, by name, for the state that those in `project` are of."""
    found = {"Pulumi.yaml": (checkout / "Pulumi.yaml").read_text(encoding="utf-8")}
    for path in checkout.glob(_STACK_FILES):
        found[path.name] = _ours(path, project / path.name)
    return found


def _ours(path: Path, made: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if not made.is_file():
        return with_secrets_of(text, "")
    other = made.read_text(encoding="utf-8")
    state = ((yaml.safe_load(other) or {}).get("config") or {}).get(_STATE)
    text = with_secrets_of(text, other)
    return with_state(text, state) if state and path.name == file_of(DELIVERY) else text


def name_state(project: Path, state: Mapping[str, str]) -> None:
    """Write the place of the state into the delivery stack's file, as an administrator does after bootstrap."""
    path = project / file_of(DELIVERY)
    _write(path, with_state(path.read_text(encoding="utf-8"), state))


def with_state(text: str, state: Mapping[str, str]) -> str:
    """A stack's config with this `glidepath:state`; every other line stays as it is, quotes and comments included."""
    line = f"{_STATE}: {yaml.safe_dump(dict(state), default_flow_style=True, width=10_000).strip()}"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), "a stack's file is a mapping"
    (config,) = [value for key, value in root.value if key.value == "config"]
    for key, value in config.value:
        if key.value == _STATE:
            start, end = key.start_mark.index, value.end_mark.index
            rest = text[start:end]
            return text[:start] + line + rest[len(rest.rstrip()) :] + text[end:]
    start = config.value[0][0].start_mark
    joint = ", " if config.flow_style else "\n" + " " * start.column
    return text[: start.index] + line + joint + text[start.index :]
