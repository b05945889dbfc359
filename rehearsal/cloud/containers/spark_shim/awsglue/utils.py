"""`awsglue.utils`."""


class GlueArgumentError(Exception):
    """A required argument is missing."""


def getResolvedOptions(args: list[str], options: list[str]) -> dict[str, str]:
    """Values of `--NAME value` and `--NAME=value`, for the names wanted; others are passed over."""
    found: dict[str, str] = {}
    index = 1
    while index < len(args):
        name, equals, value = args[index].partition("=")
        if not name.startswith("--"):
            index += 1
            continue
        if not equals:
            index += 1
            value = args[index] if index < len(args) else ""
        found[name[2:]] = value
        index += 1
    missing = [name for name in options if name not in found]
    if missing:
        raise GlueArgumentError(f"the following arguments are required: {', '.join('--' + name for name in missing)}")
    return {name: found[name] for name in [*options, *(k for k in ("JOB_NAME",) if k in found)]}
