"""Roles of functions that work with the model registry: what is compared with, what comes in, what became of it."""

from definitions.roles.delivery_account import Delivery
from definitions.roles.function import watched, works_on_runs
from definitions.roles.statements import Statement, allow


def _packages(at: Delivery) -> list[str]:
    return [at.names.arn("sagemaker", f"model-package/{at.names.name}/*")]


def _group(at: Delivery) -> str:
    return at.names.arn("sagemaker", f"model-package-group/{at.names.name}")


def _find_package(at: Delivery) -> list[Statement]:
    """The package of a run: a list holds no metadata, so each is described."""
    return [
        allow("FindPackage", ["sagemaker:ListModelPackages"], [*_packages(at), _group(at)]),
        allow("ReadPackage", ["sagemaker:DescribeModelPackage"], [*_packages(at), _group(at)]),
    ]


def _look_up_serving(at: Delivery) -> Statement:
    """What production serves, by a role of its account that reads nothing else."""
    return allow("LookUpServing", ["sts:AssumeRole"], [at.names.role_arn(at.names.production, "champion")])


def champion(at: Delivery) -> list[Statement]:
    """Finds the model to beat, the one that production serves: its record, its manifest, its artifact."""
    return [
        _look_up_serving(at),
        *_find_package(at),
        allow(
            "ReadRelease",
            ["s3:GetObject"],
            [at.artifacts(key) for key in ("runs/*/release/manifest.json", "runs/*/release/model.tar.gz", "dataset/*")],
        ),
        *watched(at, "champion"),
        at.use_key(write=False),
    ]


def register(at: Delivery) -> list[Statement]:
    """Registers the trained artifact with its metrics."""
    return [
        allow(
            "ReadRun",
            ["s3:GetObject"],
            [
                at.artifacts("runs/*/training/*"),
                at.artifacts("runs/*/evaluation/*"),
                at.artifacts("runs/*/baseline/*"),
                at.artifacts("runs/*/features/rows.json"),
            ],
        ),
        allow(
            "Register",
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackage",
            ],
            [_group(at), *_packages(at)],
        ),
        *works_on_runs(at, "register"),
    ]


def outcome(at: Delivery) -> list[Statement]:
    """Says of the project's packages what became of them. It makes none, deletes none, and reads what serves alone."""
    return [
        _look_up_serving(at),
        *_find_package(at),
        allow("Decide", ["sagemaker:UpdateModelPackage"], _packages(at)),
        *watched(at, "outcome"),
    ]
