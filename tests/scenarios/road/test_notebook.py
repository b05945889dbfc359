"""notebooks/mlops.ipynb from top to bottom, as the notebook instance's role, in the tour's own cloud.

The tests leave production and the delivery stack as they found them; dev keeps the notebook's release. What they do not
prove: that SageMaker clones the repository, and that a notebook instance's own Python can be given the requirements.
"""

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy
import pytest
import yaml
from matplotlib.image import imread
from nbclient import NotebookClient

from scenarios.tour import evidence, facts, roles
from tests.scenarios.road.conftest import ROOT, Road

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]
FOLDER = ROOT / "notebooks"
REPOSITORY = "https://git.example.com/fares"
GIVEN = 'DECISION, CLEAN_UP = "approve", True\nEVERY, CALLS = 0.5, 3'
PLOTS = ("distributions", "relations", "stages", "comparison", "shift-plot", "predicted", "drift")


@dataclass(frozen=True)
class Executed:
    """The notebook with its outputs; `before` is what served production until then."""

    cells: dict[str, Any]
    before: str
    role: str

    def text(self, cell: str) -> str:
        """What a cell printed."""
        return "".join(output["text"] for output in self.cells[cell]["outputs"] if output["output_type"] == "stream")

    def images(self, cell: str) -> "list[numpy.ndarray[Any, numpy.dtype[numpy.int64]]]":
        """What a cell drew: lines of pixels of red, green and blue, each from 0 to 255."""
        data = [output.get("data", {}) for output in self.cells[cell]["outputs"]]
        drawn = [imread(io.BytesIO(base64.b64decode(item["image/png"]))) for item in data if "image/png" in item]
        return [(image[..., :3] * 255).round().astype(numpy.int64) for image in drawn]

    @property
    def execution(self) -> str:
        """The run that the upload started."""
        return self.text("upload").split()[1]


def update(road: Road, *arguments: str) -> None:
    done = road.pulumi("up", "--stack", "delivery", "--yes", "--skip-preview", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def role(road: Road, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The role of the delivery stack's notebook instance. SageMaker alone trusts itself with it: here we do, too."""
    config = tmp_path_factory.mktemp("notebook") / "Pulumi.delivery.yaml"
    # The rehearsal's, which says how its state is encrypted.
    document = yaml.safe_load((road.rehearsal.project / config.name).read_text())
    document["config"]["glidepath:notebook"] = {"enabled": True, "repository": REPOSITORY}
    config.write_text(yaml.safe_dump(document))
    update(road, "--config-file", str(config))
    try:
        name, iam = road.project.names.role("delivery", "notebook"), road.clients.of("delivery", "iam")
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        person = {"AWS": road.project.names.root("delivery")}
        trust["Statement"].append({"Effect": "Allow", "Principal": person, "Action": "sts:AssumeRole"})
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        yield road.project.names.role_arn("delivery", "notebook")
    finally:
        update(road)


def environment(road: Road, role: str, folder: Path) -> dict[str, str]:
    """The machine is the role; the person's profiles are in their files, as on a notebook instance."""
    sts = road.clients.of("delivery", "sts")
    keys = sts.assume_role(RoleArn=role, RoleSessionName="SageMaker")["Credentials"]
    return road.rehearsal.environ(road.environ) | {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
    }


@pytest.fixture(scope="module")
def executed(road: Road, role: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
    notebook = nbformat.read(FOLDER / "mlops.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    place = next(index for index, cell in enumerate(notebook.cells) if cell["id"] == "parameters")
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(GIVEN))  # type: ignore[no-untyped-call]
    before, folder = road.production()["release"], tmp_path_factory.mktemp("kernel")
    client = NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(FOLDER)}})
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
            client.execute(env=environment(road, role, folder))
        yield Executed({cell["id"]: cell for cell in notebook.cells}, before, role)
    finally:
        nbformat.write(notebook, road.rehearsal.folder / "mlops.ipynb")  # type: ignore[no-untyped-call]
        if road.production()["release"] != before:
            done = road.glidepath("rollback", "prod", "--to", before, "--yes", "--reason", "the notebook was tried")
            assert done.returncode == 0, done.stdout + done.stderr


def manifest_of(road: Road, executed: Executed) -> dict[str, Any]:
    uri = f"s3://{road.project.names.artifacts_bucket}/runs/{executed.execution}/release/manifest.json"
    manifest: dict[str, Any] = json.loads(evidence.read_object(road.clients.of("delivery", "s3"), uri))
    return manifest


def test_the_instance_clones_the_project(road: Road, role: str) -> None:
    found = road.clients.of("delivery", "sagemaker").describe_notebook_instance(
        NotebookInstanceName=road.project.names.name
    )
    assert (found["NotebookInstanceStatus"], found["DefaultCodeRepository"]) == ("InService", REPOSITORY)
    assert found["RoleArn"] == role


def test_its_release_serves_production_after_every_stage_was_shown(road: Road, executed: Executed) -> None:
    manifest = manifest_of(road, executed)
    assert road.production()["release"] == manifest["id"] != executed.before
    assert manifest["reason"] == "data"
    shown = executed.text("follow") + executed.text("shift")
    for stage in ("Source", "Build", "Train", "DeployDev", "TestDev", "Approve", "DeployProd"):
        assert f"{stage}: Succeeded after " in shown, stage


def test_its_metrics_are_the_manifests(road: Road, executed: Executed) -> None:
    manifest = manifest_of(road, executed)
    shown = executed.text("metrics")
    numbers = [float(number) for number in re.findall(r"\d+\.\d{6}", shown)]
    metrics, champion = manifest["metrics"], manifest["champion"]
    assert numbers == pytest.approx([metrics["value"], *metrics["ci"], champion["value"]], abs=1e-6)
    assert champion["verdict"] in shown
    assert f"release {manifest['id']}: rmse " in shown


def test_the_sdk_shows_what_was_trained_and_registered(executed: Executed) -> None:
    shown = executed.text("model")
    assert f"training job glidepath-train-{executed.execution}: Completed" in shown
    assert re.search(r"package \d+ of glidepath: PendingManualApproval", shown)
    assert re.search(r"^glidepath-prod-\S+: InService, instances {'live': \d+}$", executed.text("endpoint"), re.M)


def test_the_approval_shows_its_evidence(road: Road, executed: Executed) -> None:
    shown = executed.text("approve")
    assert f"Release {manifest_of(road, executed)['id']} (data) for prod: rmse " in shown
    assert "approve: Approve" in shown


def test_the_shift_is_seen_step_by_step_under_calls(executed: Executed) -> None:
    shown = executed.text("shift")
    weights = [int(share) for share in re.findall(r"(\d+)%", shown.partition("share of the new version: ")[2])]
    assert weights == sorted(weights)
    assert weights[0] <= 10
    assert weights[-1] == 100
    assert len(weights) >= 5
    requests, failed = map(int, re.findall(r"(\d+) requests, (\d+) failed", shown)[0])
    assert requests >= 20
    assert failed == 0


def test_productions_errors_are_those_of_the_stored_model(road: Road, executed: Executed) -> None:
    manifest = manifest_of(road, executed)
    rows = evidence.labelled_rows(road.clients, manifest, "test")[:500]
    artifact = evidence.read_object(road.clients.of("delivery", "s3"), manifest["model"]["artifact"])
    predicted = evidence.artifact_predictions(artifact, manifest["features"], [features for _, features in rows])
    error = sum(abs(label - value) for (label, _), value in zip(rows, predicted, strict=True)) / len(rows)
    count, release, shown = re.findall(
        r"(\d+) rows, answered by release (\S+): mean error (\S+)", executed.text("predicted")
    )[0]
    assert (int(count), release) == (len(rows), manifest["id"])
    assert float(shown) == pytest.approx(error, abs=1e-4)


def test_monitoring_says_what_is_there_and_what_is_not_yet(executed: Executed) -> None:
    shown = executed.text("monitor")
    assert re.search(r"^glidepath-prod-\S+, written \d{4}-\d\d-\d\d \d\d:\d\d UTC:\n  \S", shown, re.M)
    assert re.search(r"^glidepath-prod-drift-distance: [A-Z_]+$", executed.text("alarms"), re.M)


@pytest.mark.parametrize("cell", PLOTS)
def test_a_plot_shows_something(executed: Executed, cell: str) -> None:
    (image,) = executed.images(cell)
    assert min(image.shape[:2]) > 150
    pixels = image.reshape(-1, 3)
    colored = numpy.ptp(pixels, axis=1) > 40
    assert colored.mean() > 0.002, "next to nothing in colour"
    assert len(numpy.unique(pixels, axis=0)) > 10, "no lines, no letters"


def test_the_shifts_plot_shows_both_releases(executed: Executed) -> None:
    (image,) = executed.images("shift-plot")
    warmth = image[..., 0] - image[..., 2]
    blue, orange = (warmth < -60).sum(), (warmth > 60).sum()
    assert min(blue, orange) > 100, "the answers of one of them are missing"


def test_it_leaves_no_dataset_behind(road: Road, executed: Executed) -> None:
    assert "deleted datasets/notebook.csv" in executed.text("clean-up")
    listed = road.clients.of("delivery", "s3").list_objects_v2(
        Bucket=road.project.names.data_bucket, Prefix="datasets/"
    )
    assert "datasets/notebook.csv" not in [item["Key"] for item in listed["Contents"]]


def test_its_role_has_exactly_the_rights_that_it_uses(road: Road, executed: Executed) -> None:
    reasons = roles.read_reasons(road.project.production)
    entries = roles.role_entries([road.clients.of("delivery", "iam")], facts.ledger(road.rehearsal), reasons)
    (entry,) = [entry for entry in entries if entry["role"] == executed.role]
    assert roles.faults([entry]) == []
    assert {grant.split()[0] for grant in entry["explained"]} == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert entry["used"] == entry["granted"] - len(entry["explained"])
