"""What a person sees while the tour runs: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from operate.runs import Run
from operate.shift import Weight

COLOURS = {"Succeeded": "green", "Failed": "red", "InProgress": "cyan", "Pending": "dim", "Stopped": "yellow"}


@dataclass
class Scene:
    """The figures of one moment."""

    title: str
    run: Run
    weight: Weight | None = None
    requests: int = 0
    failed: int = 0


def bar(share: float, width: int = 30) -> str:
    """A text bar for a share between 0 and 1."""
    full = round(share * width)
    return "█" * full + "░" * (width - full)


def draw(scene: Scene) -> Table:
    """The live table."""
    table = Table(title=scene.title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("stage", "status", "seconds", ""):
        table.add_column(heading, justify="right" if heading == "seconds" else "left", overflow="fold")
    for stage in scene.run.stages:
        seconds = f"{stage.seconds:.0f}" if stage.status != "Pending" else ""
        status = Text(stage.status, style=COLOURS.get(stage.status, ""))
        table.add_row(stage.name, status, seconds, Text(stage.error or "", style="red"))
    if scene.weight:
        table.add_row(
            "traffic", f"version {scene.weight.version}", f"{scene.weight.weight:.0%}", bar(scene.weight.weight)
        )
    if scene.requests:
        table.add_row("requests", str(scene.requests), "", f"{scene.failed} failed")
    return table


@dataclass
class Display:
    """Shows steps and scenes. `live` is false where output is no terminal: then only changes are printed."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    started: float = field(default_factory=time.monotonic)
    _live: Live | None = None
    _said: dict[str, str] = field(default_factory=dict)

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return self.console.is_terminal and sys.stdin.isatty()

    def say(self, text: str, style: str = "") -> None:
        """One line, with the seconds since the start."""
        self.console.print(Text(f"{time.monotonic() - self.started:6.1f} s  {text}", style=style))

    def show(self, scene: Scene) -> None:
        """The scene, in place on a terminal, else what has changed since the last one."""
        if not self.console.is_terminal:
            self._say_changes(scene)
            return
        if self._live is None:
            self._live = Live(console=self.console, refresh_per_second=8, transient=False)
            self._live.start()
        self._live.update(draw(scene))

    def rest(self) -> None:
        """Ends the live table, so that lines can be printed or a question asked."""
        if self._live:
            self._live.stop()
            self._live = None

    def ask(self, question: str) -> bool:
        """A question on the terminal; anything but yes is no."""
        self.rest()
        try:
            return self.console.input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
        except EOFError:
            return False

    def _say_changes(self, scene: Scene) -> None:
        if self._said.get("run") != scene.run.id:
            self._said = {"run": scene.run.id}
        for stage in scene.run.stages:
            if stage.status == "Pending" or self._said.get(stage.name) == stage.status:
                continue
            self._said[stage.name] = stage.status
            seconds = "" if stage.status == "InProgress" else f" after {stage.seconds:.0f} s"
            self.say(f"{stage.name}: {stage.status}{seconds}{': ' + stage.error if stage.error else ''}")
        if scene.weight and self._said.get("weight", str(scene.weight)) != str(scene.weight):
            self.say(
                f"version {scene.weight.version} takes {scene.weight.weight:.0%} "
                f"({scene.requests} requests, {scene.failed} failed)"
            )
        if scene.weight:
            self._said["weight"] = str(scene.weight)
