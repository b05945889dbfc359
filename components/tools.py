"""The commands that plan and deploy, with the policy pack, as the delivery stack's last update has pinned them.

What checks a release is not part of the release: it comes from whoever brings the delivery stack up, an administrator.
"""

from pathlib import Path
from typing import TypedDict

import pulumi
from pulumi_aws.s3.bucket_objectv2 import BucketObjectv2

from components.packaging import reachable
from definitions import tools

ROOT = Path(__file__).resolve().parent.parent
_COMMANDS = ("cli/__main__.py", "cli/deploy.py", "cli/plan.py")
_PACKED = ("cli", "contracts", "functions", "operate", "policies", "preview", "settings")


class ToolsArgs(TypedDict):
    """Arguments of the tools."""

    artifacts: pulumi.Input[str]
    """Bucket that keeps them; no build may write there."""


class Tools(pulumi.ComponentResource):
    """The archive. Kept when another takes its place: a build that has begun goes on with its own."""

    pinned: tools.Tools
    """What builds compare it with."""
    address: pulumi.Output[str]
    """`s3://` address."""

    def __init__(self, name: str, args: ToolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:tools:Tools", name, None, opts)
        files = packed(ROOT)
        self.pinned = tools.pin({file: (ROOT / file).read_bytes() for file in files})
        archive = BucketObjectv2(
            name,
            bucket=args["artifacts"],
            key=self.pinned.key,
            source=pulumi.AssetArchive({file: pulumi.FileAsset(str(ROOT / file)) for file in files}),
            content_type="application/zip",
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.address = pulumi.Output.concat("s3://", archive.bucket, "/", archive.key)
        self.register_outputs({"address": self.address})


def packed(root: Path) -> list[str]:
    """Files of the archive, as sorted paths relative to `root`: the commands, what they import, and the policy pack.

    What is not Python and lies beside a module goes with it: prices, for one.
    """
    modules = reachable(root, _COMMANDS, _PACKED)
    folders = {(root / module).parent for module in modules}
    beside = [path for folder in folders for path in folder.iterdir() if path.is_file() and path.suffix != ".py"]
    pack = [path for path in (root / "policies").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted({*modules, *(path.relative_to(root).as_posix() for path in [*beside, *pack]), tools.LOCK})
