"""State machine, buildspecs, AppSpec and API as documents."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.appspec import app_spec, traffic_routing
from contracts.names import Names
from definitions import buildspecs
from definitions.openapi import openapi
from definitions.state_machine import state_machine
from definitions.states import Machines, Training, Tuning
from definitions.storage import expire
from definitions.tools import Tools
from operate.sources import of_folder

TOOLS = Tools("5" * 64, "6" * 64)
NAMES = Names("glidepath", "eu-west-1", {"delivery": "1" * 12, "dev": "2" * 12, "prod": "3" * 12})
MACHINES = Machines("ml.m5.large", 1, 20, 1800)
TRAINING = Training(
    NAMES,
    "arn:aws:kms:eu-west-1:111111111111:key/1",
    "xgboost:3.2-0",
    {"num_round": "100"},
    "{}",
    ("--metric", "rmse"),
    3600,
    MACHINES,
    MACHINES,
)


def _targets(state: dict[str, Any]) -> set[str]:
    found = {state[key] for key in ("Next", "Default") if key in state}
    found |= {choice["Next"] for choice in state.get("Choices", [])}
    return found | {caught["Next"] for caught in state.get("Catch", [])}


def test_every_transition_of_the_workflow_leads_somewhere_and_every_state_is_reached() -> None:
    machine = state_machine(TRAINING)
    states = machine["States"]
    reached = {machine["StartAt"]}.union(*(_targets(state) for state in states.values()))
    assert reached == set(states)


def test_every_task_is_bounded_retried_and_explained() -> None:
    for name, state in state_machine(TRAINING)["States"].items():
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, name
            assert state["Retry"], name
            assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"], name


def _jobs(machine: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Parameters of all jobs of a kind, in the branches of parallel states too."""
    found = []
    for state in machine["States"].values():
        if str(state.get("Resource", "")).endswith(f"sagemaker:{kind}.sync"):
            found.append(state["Parameters"])
        for branch in state.get("Branches", []):
            found += _jobs(branch, kind)
    return found


def test_what_nobody_has_approved_runs_without_a_network() -> None:
    evaluations = _jobs(state_machine(TRAINING), "createProcessingJob")
    trainings = _jobs(state_machine(TRAINING), "createTrainingJob")
    assert [job["NetworkConfig"] for job in evaluations] == [{"EnableNetworkIsolation": True}] * 2
    assert [job["EnableNetworkIsolation"] for job in trainings] == [True]


def test_spot_machines_have_a_longer_wait_and_checkpoints_in_the_runs_folder() -> None:
    on_demand, spot = TRAINING, replace(TRAINING, training=replace(MACHINES, spot_seconds=5400))
    plain, cheap = (_jobs(state_machine(each), "createTrainingJob")[0] for each in (on_demand, spot))
    more = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 5400},
        "CheckpointConfig": {"S3Uri.$": f"States.Format('s3://{NAMES.artifacts_bucket}/runs/{{}}/checkpoints', $.run)"},
    }
    assert cheap == {**plain, **more}
    assert state_machine(spot)["States"]["Train"]["TimeoutSeconds"] == 6000


def test_a_tuning_job_varies_what_it_has_ranges_for_and_leaves_the_rest() -> None:
    tuning = Tuning(5, 2, "random", {"num_round": ("10", "90"), "eta": ("0.1", "0.5")}, "mae", "Minimize")
    given = replace(TRAINING, tuning=tuning, hyperparameters={"num_round": "100", "max_depth": "4"})
    machine = state_machine(given)
    (job,) = _jobs(machine, "createHyperParameterTuningJob")
    config, definition = job["HyperParameterTuningJobConfig"], job["TrainingJobDefinition"]
    assert definition["StaticHyperParameters"] == {"max_depth": "4"}
    assert {kind: [each["Name"] for each in found] for kind, found in config["ParameterRanges"].items()} == {
        "IntegerParameterRanges": ["num_round"],
        "ContinuousParameterRanges": ["eta"],
    }
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "validation:mae"}
    assert definition["EnableNetworkIsolation"] is True
    # Three rounds of two trials.
    assert machine["States"]["Train"]["TimeoutSeconds"] == 3 * (1800 + 600)
    address = f"s3://{NAMES.artifacts_bucket}/runs/{{}}/training/{{}}/output/model.tar.gz"
    best = machine["States"]["BestTrial"]["Parameters"]
    assert best == {"artifact.$": f"States.Format('{address}', $.run, $.tuned.job)"}
    reached = {machine["StartAt"]}.union(*(_targets(state) for state in machine["States"].values()))
    assert reached == set(machine["States"])


def test_several_instances_share_the_training_files_and_all_see_the_validation() -> None:
    one, two = TRAINING, replace(TRAINING, training=replace(MACHINES, instance_count=2))
    alone, shared = (_jobs(state_machine(each), "createTrainingJob")[0] for each in (one, two))
    assert _distribution(alone) == {"train": "FullyReplicated", "validation": "FullyReplicated"}
    assert _distribution(shared) == {"train": "ShardedByS3Key", "validation": "FullyReplicated"}
    assert "EnableInterContainerTrafficEncryption" not in alone
    assert shared["EnableInterContainerTrafficEncryption"] is True


def _distribution(job: dict[str, Any]) -> dict[str, str]:
    return {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3DataDistributionType"]
        for channel in job["InputDataConfig"]
    }


def test_the_evaluation_of_both_models_is_told_by_which_edges_the_champion_counts() -> None:
    alone, both = _jobs(state_machine(TRAINING), "createProcessingJob")
    assert "Environment" not in alone
    assert both["Environment"] == {"CHAMPION_EDGES.$": "$.champion.edges"}


def test_a_failed_gate_ends_with_its_reason() -> None:
    states = state_machine(TRAINING)["States"]
    assert states["Passed"]["Default"] == "Rejected"
    assert states["Rejected"] == {"Type": "Fail", "Error": "GateRejected", "CausePath": "$.gate.reason"}


def test_app_spec_moves_the_alias_between_the_hooks() -> None:
    document = json.loads(app_spec("predict", "live", "1", "2", "before", "after"))
    properties = document["Resources"][0]["live"]["Properties"]
    assert properties == {"Name": "predict", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}
    assert document["Hooks"] == [{"BeforeAllowTraffic": "before"}, {"AfterAllowTraffic": "after"}]


def test_routing_of_both_kinds() -> None:
    assert traffic_routing("canary", 10, 5)["time_based_canary"] == {"percentage": 10, "interval": 5}
    assert traffic_routing("linear", 10, 1)["time_based_linear"] == {"percentage": 10, "interval": 1}


def test_deploys_assume_the_deployer_and_export_what_later_stages_read() -> None:
    profile = buildspecs.profile("glidepath-dev", NAMES.role_arn("dev", "deployer"), "eu-west-1", "deploy-dev")
    spec = buildspecs.deploy("dev", profile, "s3://state", TOOLS)
    assert "credential_source = EcsContainer" in profile
    assert spec["env"]["variables"]["PULUMI_BACKEND_URL"] == "s3://state"
    assert {"API_URL", "RELEASE", "MANIFEST_SHA256", "SUMMARY"} <= set(spec["env"]["exported-variables"])
    (_, _, command, _) = spec["phases"]["build"]["commands"]
    assert 'python -I "$TOOLS/cli/__main__.py" deploy --stack dev' in command


def test_a_users_own_tests_follow_ours_with_the_testers_credentials() -> None:
    ours = buildspecs.system_test("dev", "tester", "[profile tester]\n")["phases"]["build"]["commands"]
    commands = buildspecs.system_test("dev", "tester", "[profile tester]\n", "pytest my && ./more")["phases"]["build"]
    assert commands["on-failure"] == "ABORT"
    assert commands["commands"] == [*ours, "export ENVIRONMENT=dev AWS_PROFILE=tester", "pytest my && ./more"]


def _deploy_command(approved: bool) -> str:
    (_, _, command, _) = buildspecs.deploy("prod", "[profile x]\n", "", TOOLS, approved)["phases"]["build"]["commands"]
    return str(command)


def _ran(command: str, **environ: str) -> tuple[int, str]:
    """Exit code, and what a shell makes of a build's command that only prints its arguments."""
    script = f"python() {{ printf '%s ' \"$@\"; }}\n{command}"
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


APPROVED = {"APPROVED_SHA256": "aa", "APPROVED_PLAN": "s3://plan", "APPROVED_PLAN_SHA256": "bb"}


def test_a_deployment_is_bound_to_what_was_approved() -> None:
    code, said = _ran(_deploy_command(True), RELEASE_MANIFEST="m", PWD="/build", **APPROVED)
    assert code == 0
    assert "--manifest-sha256 aa --plan s3://plan --plan-sha256 bb" in said
    assert "sha256" not in _ran(_deploy_command(False), RELEASE_MANIFEST="m", **APPROVED)[1]


@pytest.mark.parametrize("missing", APPROVED)
@pytest.mark.parametrize("empty", [True, False])
def test_a_deployment_that_is_not_told_what_was_approved_stops(missing: str, empty: bool) -> None:
    given = {**APPROVED, missing: ""} if empty else {k: v for k, v in APPROVED.items() if k != missing}
    code, said = _ran(_deploy_command(True), RELEASE_MANIFEST="m", PWD="/build", **given)
    assert code != 0
    assert f"{missing}: nothing was approved" in said
    assert "deploy --stack" not in said


def _refusal(source: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The first commands of a deployment that was approved, in the folder of its source."""
    install = buildspecs.deploy("prod", "[profile x]\n", "", TOOLS, approved=True)["phases"]["install"]["commands"]
    script = "\n".join([f"{install[0]} || exit 1", f"{install[1]} || exit 1", "echo went on"])
    return subprocess.run(
        ["bash", "-c", script], cwd=source, env={"PATH": os.environ["PATH"], **environ}, capture_output=True, text=True
    )


def test_a_source_that_was_exchanged_is_refused_before_any_of_it_runs(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("what was approved\n")
    approved = of_folder(tmp_path)
    assert _refusal(tmp_path, APPROVED_SOURCE_SHA256=approved).stdout == "went on\n"
    (tmp_path / "requirements.txt").write_text("exfiltrate\n")
    done = _refusal(tmp_path, APPROVED_SOURCE_SHA256=approved)
    assert done.returncode == 1
    assert "went on" not in done.stdout
    assert f"but {approved} was approved: nothing was changed" in done.stderr


@pytest.mark.parametrize("environ", [{}, {"APPROVED_SOURCE_SHA256": ""}])
def test_a_deployment_that_is_not_told_the_approved_source_stops(tmp_path: Path, environ: dict[str, str]) -> None:
    done = _refusal(tmp_path, **environ)
    assert done.returncode != 0
    assert "went on" not in done.stdout
    assert "nothing was approved" in done.stderr


def test_the_source_is_measured_before_anything_of_it_runs() -> None:
    plan = buildspecs.plan("prod", "[profile x]\n", "", TOOLS)
    for spec in (plan, buildspecs.deploy("prod", "[profile x]\n", "", TOOLS, True)):
        assert spec["phases"]["install"]["commands"][0] == buildspecs.MEASURE_SOURCE
    assert "SOURCE_SHA256" in plan["env"]["exported-variables"]


def test_what_expires_in_a_versioned_bucket_is_gone_with_its_versions() -> None:
    expiring, markers, leftovers = expire([("capture/", 365)])
    assert expiring["filter"] == markers["filter"] == {"prefix": "capture/"}
    assert expiring["expiration"] == {"days": 365}
    assert expiring["noncurrent_version_expiration"] == {"noncurrent_days": 7}
    assert markers["expiration"] == {"expired_object_delete_marker": True}
    assert len({rule["id"] for rule in (expiring, markers, leftovers)}) == 3


def test_the_api_is_signed_and_checked() -> None:
    document = openapi("x", "arn", api_key=True)
    operation = document["paths"]["/predict"]["post"]
    assert operation["security"] == [{"sigv4": [], "api_key": []}]
    assert document["x-amazon-apigateway-request-validator"] == "all"
    # The API is that of all releases: which features a request has is checked by the release that is asked.
    instances = document["components"]["schemas"]["Request"]["properties"]["instances"]
    assert instances == {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "object"}}
