"""The delivery stack's components, fed from settings."""

import json
from dataclasses import replace

import pulumi

from components.approve import Approve
from components.build import Build
from components.ci import ContinuousIntegration, ContinuousIntegrationArgs
from components.deploy import Deploy, DeployArgs
from components.notebook import Notebook
from components.outcome import Outcome
from components.pipeline import Pipeline
from components.plan import Plan
from components.project import CodeBuildArgs, EngineArgs
from components.retrain import Retrain
from components.source import Source, Trigger
from components.stage import HasStage
from components.storage import Storage
from components.test import SystemTest
from components.tools import Tools
from components.train import Train, dataset_place
from contracts.dataset import Dataset
from contracts.evaluation_arguments import evaluation_arguments
from contracts.tuning import objective_of
from definitions.images import xgboost
from definitions.roles.ci import Repository
from definitions.roles.delivery_account import Delivery
from definitions.states import Machines, Training, Tuning
from settings import Ci, Compute, Settings, TrainingCompute
from settings import Tuning as WantedTuning


def make_storage(settings: Settings) -> Storage:
    """Key and buckets."""
    return Storage("storage", {"names": settings.names, "approval_minutes": settings.approval.minutes})


def make_source(settings: Settings) -> Source:
    """Code comes in."""
    source = settings.source
    return Source(
        "source",
        {
            "names": settings.names,
            "kind": source.kind,
            "key": source.key,
            "repository": source.repository,
            "branch": source.branch,
            "connection_arn": source.connection_arn,
            "provider": source.provider,
        },
    )


class DeliveryStack:
    """Makes one component after the other on storage and source; each is a line of the program."""

    def __init__(self, settings: Settings, storage: Storage, source: Source) -> None:
        self.settings = settings
        self.names = settings.names
        self.storage = storage
        self.source = source
        # As roles see it, and where only names are needed.
        self.delivery = pulumi.Output.all(
            storage.key_arn, storage.signing_arn, storage.split_arn, source.connection_arn
        ).apply(lambda arns: _delivery(settings, *arns))
        self.at = _delivery(settings, "", "", "", "")
        self.tools = Tools("tools", {"artifacts": storage.artifacts})

    def trigger(self) -> Trigger:
        """New data starts a run."""
        source = self.settings.source
        return Trigger(
            "trigger",
            {
                "delivery": self.delivery,
                "names": self.names,
                "key_arn": self.storage.key_arn,
                "data_bucket": self.storage.data,
                "source_key": source.key if source.kind == "s3" else "",
                "repository": source.repository if source.kind == "codecommit" else "",
                "branch": source.branch,
                "log_days": self.settings.log_days,
            },
        )

    def retrain(self) -> Retrain:
        """Drift starts a run."""
        return Retrain(
            "retrain",
            {
                "delivery": self.delivery,
                "names": self.names,
                "key_arn": self.storage.key_arn,
                "environment": retraining(self.settings),
                "schedule": self.settings.retrain.schedule,
                "log_days": self.settings.log_days,
            },
        )

    def outcome(self, deploys: Deploy) -> Outcome:
        """The registry hears what became of a model."""
        return Outcome(
            "outcome",
            {
                "delivery": self.delivery,
                "names": self.names,
                "key_arn": self.storage.key_arn,
                "deployment": deploys.stage.name,
                "log_days": self.settings.log_days,
            },
        )

    def build(self) -> Build:
        """Test and package."""
        commit, command = self.source.commit, self.settings.build.test_command
        return Build("build", {**self._engine(looks=True), "commit": commit, "test_command": command})

    def train(self) -> Train:
        """From data to a manifest."""
        features = self.settings.features
        return Train(
            "train",
            {
                "names": self.names,
                "delivery": self.delivery,
                "artifacts": self.storage.artifacts,
                "key_arn": self.storage.key_arn,
                "workflow": self.storage.key_arn.apply(self._workflow),
                "dataset": self._dataset,
                "worker_type": features.worker_type,
                "workers": features.workers,
                "minutes": features.minutes,
                "commit": self.source.commit,
                "log_days": self.settings.log_days,
            },
        )

    def deploy(self, env: str, approved: bool = False) -> Deploy:
        """`pulumi up` of an environment; `approved`: only of the source, manifest and plan that were."""
        minutes = self.settings.build.deploy_minutes
        args: DeployArgs = {**self._engine(), "minutes": minutes, "env": env, "approved": approved}
        return Deploy(f"deploy-{env}", args)

    def test(self, env: str) -> SystemTest:
        """Ask the real API."""
        return SystemTest(f"test-{env}", {**self._builds(), "env": env, "command": self.settings.test.command})

    def plan(self, env: str, deployed_in: str = "") -> Plan:
        """What a manifest, that which was deployed in another environment, would do to one, for those who approve."""
        return Plan(f"plan-{env}", {**self._engine(looks=True), "env": env, "deployed_in": deployed_in})

    def approve(self, planned_for: str) -> Approve:
        """Ask a person."""
        return Approve(
            "approve",
            {
                "names": self.names,
                "key_arn": self.storage.key_arn,
                "mails": self.settings.approval.mails,
                "minutes": self.settings.approval.minutes,
                "planned_for": planned_for,
            },
        )

    def pipeline(self, stages: list[HasStage]) -> Pipeline:
        """The road."""
        return Pipeline(
            "pipeline",
            {
                "names": self.names,
                "delivery": self.delivery,
                "artifacts": self.storage.artifacts,
                "key_arn": self.storage.key_arn,
                "stages": stages,
            },
        )

    def ci(self, ci: Ci) -> ContinuousIntegration:
        """The repository's CI may look, and hand over code."""
        repository = Repository(ci.provider, ci.repository, ci.branch, ci.host, ci.protected_refs)
        given: ContinuousIntegrationArgs = {"names": self.names, "delivery": self.delivery, "repository": repository}
        if ci.provider_arn:
            given["provider_arn"] = ci.provider_arn
        return ContinuousIntegration("ci", given)

    def notebook(self) -> Notebook:
        """For people: from data to production, by hand."""
        return Notebook(
            "notebook",
            {
                "names": self.names,
                "delivery": self.delivery,
                "key_arn": self.storage.key_arn,
                "instance_type": self.settings.notebook_instance_type,
                "repository": self.settings.notebook_repository,
            },
        )

    @property
    def _dataset(self) -> str:
        return json.dumps(self.settings.dataset_document, separators=(",", ":"))

    def _builds(self) -> CodeBuildArgs:
        """What every CodeBuild project is given."""
        build = self.settings.build
        return {
            "delivery": self.delivery,
            "at": self.at,
            "key_arn": self.storage.key_arn,
            "image": build.image,
            "compute_type": build.compute_type,
            "minutes": build.minutes,
            "log_days": self.settings.log_days,
        }

    def _engine(self, looks: bool = False) -> EngineArgs:
        """What every project is given that runs the engine. `looks`: it changes no stack."""
        state = self.settings.state
        name = (state.preview_secret_name if looks else "") or state.secret_name
        secrets = [(state.secret_variable, name)] if name else []
        return {
            **self._builds(),
            "tools": self.tools.pinned,
            "tools_address": self.tools.address,
            "backend": state.backend,
            "secrets": secrets,
        }

    def _workflow(self, key_arn: str) -> Training:
        settings = self.settings
        if settings.dataset is None:
            raise ValueError("the delivery stack has no dataset")  # settings refuse this before
        return Training(
            names=self.names,
            key_arn=key_arn,
            xgboost_image=xgboost(settings.region),
            hyperparameters=settings.hyperparameters,
            dataset=str(dataset_place(settings.names, self._dataset)),
            evaluation_arguments=evaluation_arguments(settings.dataset),
            features_seconds=settings.features.minutes * 60 + 600,
            training=_trainers(settings.training),
            evaluation=_machines(settings.evaluation),
            tuning=_tuning(settings.tuning, settings.dataset) if settings.tuning else None,
        )


def retraining(settings: Settings) -> dict[str, str]:
    """What `functions.retrain` is told."""
    names, wanted = settings.names, settings.retrain
    return {
        "NAME": names.name,
        "ENVIRONMENTS": ",".join(names.environments),
        "COUNTED": ",".join(wanted.environments),
        "ENABLED": json.dumps(wanted.enabled),
        "COOLDOWN_MINUTES": str(wanted.cooldown_minutes),
        "RUNS": str(wanted.runs),
        "PERIOD_DAYS": str(wanted.period_days),
        "DATA_BUCKET": names.data_bucket,
        "DATA_FOLDER": wanted.data.folder,
        "DATA_DAYS": str(wanted.data.days if wanted.data.take == "joined" else 0),
        "ARTIFACTS_BUCKET": names.artifacts_bucket,
    }


def _delivery(settings: Settings, key_arn: str, signing_arn: str, split_arn: str, connection_arn: str) -> Delivery:
    source, state = settings.source, settings.state
    return Delivery(
        settings.names,
        key_arn,
        signing_arn,
        split_arn,
        source.kind,
        source.repository,
        connection_arn,
        state.backend,
        pulumi.get_project(),
        state.secret_name,
        settings.notebook_repository,
        settings.notebook_document.secret_name,
        state.preview_secret_name,
        spot=settings.training.spot,
        tuning=settings.tuning is not None,
    )


def _tuning(wanted: WantedTuning, dataset: Dataset) -> Tuning:
    metric, direction = objective_of(dataset.metric.name, dataset.task)
    ranges = {name: (f"{low:.15g}", f"{high:.15g}") for name, (low, high) in wanted.ranges.items()}
    return Tuning(wanted.trials, wanted.parallel, wanted.strategy, ranges, metric, direction)


def _trainers(compute: TrainingCompute) -> Machines:
    machines = _machines(compute)
    return replace(machines, spot_seconds=compute.max_wait_minutes * 60) if compute.spot else machines


def _machines(compute: Compute) -> Machines:
    return Machines(compute.instance_type, compute.instance_count, compute.volume_gb, compute.minutes * 60)
