"""AWS's command line as far as builds are rehearsed with it: `aws s3 cp` of one object to a file. A build runs this.

CodeBuild's standard images have AWS CLI version 2 (github.com/aws/aws-codebuild-docker-images). Anything else goes to
the `aws` that the machine has, and is refused where it has none. Exit codes and words as the CLI's own
(docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html).
"""

import os
import shutil
import sys
from collections.abc import Sequence

FAILED, USAGE = 1, 252
_QUIET = ("--only-show-errors", "--quiet", "--no-progress")


def main(arguments: Sequence[str], here: str) -> int:
    """`here` is the folder that this command stands in on PATH."""
    words = [word for word in arguments if word not in _QUIET]
    if words[:2] == ["s3", "cp"] and len(words) == 4 and words[2].startswith("s3://") and "://" not in words[3]:
        return _copy(words[2], words[3])
    others = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder != here]
    other = shutil.which("aws", path=os.pathsep.join(others))
    if other:
        os.execv(other, [other, *arguments])  # noqa: S606  the build's own command, as its shell would run it
    print(f"aws: the rehearsal does not execute `aws {' '.join(arguments)}`: install AWS CLI", file=sys.stderr)
    return USAGE


def _copy(source: str, target: str) -> int:
    import boto3  # most of what this command costs, and a wrong command needs none of it
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = source.removeprefix("s3://").partition("/")
    try:
        boto3.client("s3").download_file(bucket, key, target)
    except (BotoCoreError, ClientError, OSError) as error:
        print(f"download failed: {source} to {target} {error}", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], sys.argv[1]))
