"""The program as the rehearsal's engine sees it: the checkout, but for its stack files.

An engine writes to stack files, and reads there how secrets are encrypted. A rehearsal has a state of its own, so its
stack files are its own too: the checkout's, with the rehearsal's salt instead of what their state is encrypted with.
"""

from pathlib import Path

from operate.stack_files import SECRETS, with_secrets_of
from rehearsal.environment import SALT, Rehearsal

OURS = f"{SECRETS[-1]}: {SALT}\n"
_STACK_FILES = "Pulumi.*.yaml"


def lay_out(rehearsal: Rehearsal) -> Path:
    """Bring the folder to what the checkout is now; its path. Nothing in the checkout is written to.

    What is there already stays in place: an engine may be at work in it.
    """
    folder, checkout = rehearsal.project, rehearsal.root
    folder.mkdir(parents=True, exist_ok=True)
    own = stack_files(checkout)
    links = {entry.name: entry for entry in checkout.iterdir() if not rehearsal.folder.is_relative_to(entry)}
    for entry in folder.iterdir():
        if entry.name not in own.keys() | links.keys() and not (entry.is_dir() and not entry.is_symlink()):
            entry.unlink()
    for name in links.keys() - own.keys():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(links[name])
    for name, text in own.items():
        _write(folder / name, text)
    return folder


def _write(path: Path, text: str) -> None:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def stack_files(checkout: Path) -> dict[str, str]:
    """The project's file and every stack's, by name, as the rehearsal has them."""
    found = {"Pulumi.yaml": (checkout / "Pulumi.yaml").read_text(encoding="utf-8")}
    for path in checkout.glob(_STACK_FILES):
        found[path.name] = with_secrets_of(path.read_text(encoding="utf-8"), OURS)
    return found
