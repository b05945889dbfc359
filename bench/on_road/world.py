"""A cloud with what a shift needs: the function and its alias, hooks, judge, alarms, and CodeDeploy's group.

The judge's code, state machine and alarms are the program's own. The predict function and the hooks are
`bench.on_road`'s, and every function has a role that may do everything.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from bench.on_road import release
from components.packaging import closure, reachable
from contracts.names import JUDGE, LIVE, PREDICT
from definitions.health import METRICS, Watched, alarms
from definitions.judging import every, state_machine
from rehearsal.cloud.core.cloud import Cloud
from settings import Limits
from settings.keys import Section, build
from settings.kinds import Problems

ROOT = Path(__file__).resolve().parent.parent.parent
REGION, NAME, BUCKET = "eu-west-1", "bench", "bench-road"
CONFIGURATION = "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")
BEFORE, AFTER = "before", "after"
"""The hooks' names."""
_SHIFT_MINUTES = 15.0
"""With the verdict: that decides how often the judge looks."""
_PACKED = ("functions", "contracts")


class World:
    """One account and all that is in it; its first release fails the share `failing` of its requests."""

    def __init__(self, cloud: Cloud, account: str, failing: float) -> None:
        self.cloud = cloud
        self._account = account
        self._limits = limits()
        self._number = 0
        place = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        self._key = str(self.client("kms").create_key()["KeyMetadata"]["Arn"])
        self._role = self._make_role()
        self._make_functions(failing)
        self._make_group()

    def client(self, service: str) -> Any:
        """A boto3 client with an administrator's keys."""
        return self.cloud.client(service, self._account, REGION)

    def publish(self, failing: float) -> str:
        """Another release, with its alarms, as an update makes them before it shifts; its version."""
        self._number += 1
        functions = self.client("lambda")
        functions.update_function_configuration(
            FunctionName=PREDICT, Environment={"Variables": self._release_variables(failing)}
        )
        version = str(functions.publish_version(FunctionName=PREDICT)["Version"])
        functions.update_function_configuration(
            FunctionName=BEFORE, Environment={"Variables": self._before_variables()}
        )
        self._watch(version)
        return version

    def serving(self) -> str:
        """The version that the alias is at."""
        return str(self.client("lambda").get_alias(FunctionName=PREDICT, Name=LIVE)["FunctionVersion"])

    # --- what there is -----------------------------------------------------------------------------------------------

    def _make_role(self) -> str:
        services = [f"{name}.amazonaws.com" for name in ("lambda", "codedeploy", "states")]
        trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName=NAME, PolicyName="everything", PolicyDocument=_policy(everything))
        return str(role)

    def _make_functions(self, failing: float) -> None:
        functions = self.client("lambda")
        self._make_function(PREDICT, own_package("predict"), self._release_variables(failing), 10)
        version = functions.publish_version(FunctionName=PREDICT)["Version"]
        functions.create_alias(FunctionName=PREDICT, Name=LIVE, FunctionVersion=version)
        judge = self._make_function(JUDGE, closure(ROOT, JUDGE), self._judge_variables(), 60)
        self._machine = self.client("stepfunctions").create_state_machine(
            name=JUDGE, roleArn=self._role, definition=json.dumps(state_machine(PREDICT, LIVE, judge))
        )["stateMachineArn"]
        self._make_function(BEFORE, own_package(BEFORE), {}, 300)
        follows = {"ON_INCONCLUSIVE": "accept", "ON_SILENCE": "return"}
        # Both in real seconds: the wait for the verdict, within the time that the function has.
        self._make_function(
            AFTER, own_package(AFTER), {"CAPTURE_BUCKET": BUCKET, "WAIT_SECONDS": "840", **follows}, 900
        )

    def _make_function(self, name: str, files: tuple[str, ...], variables: dict[str, str], seconds: int) -> str:
        own = f"bench/on_road/{name}.py" in files
        made = self.client("lambda").create_function(
            FunctionName=name, Role=self._role, Runtime="python3.12", Timeout=seconds, MemorySize=512,
            Handler=f"bench.on_road.{name}.handle" if own else f"functions.{name}.handler.handle",
            Environment={"Variables": variables}, Code={"ZipFile": _zip(files)},
        )  # fmt: skip
        return str(made["FunctionArn"])

    def _make_group(self) -> None:
        deploy = self.client("codedeploy")
        deploy.create_application(applicationName=NAME, computePlatform="Lambda")
        deploy.create_deployment_group(
            applicationName=NAME, deploymentGroupName=PREDICT, serviceRoleArn=self._role,
            deploymentConfigName=CONFIGURATION, autoRollbackConfiguration={"enabled": True, "events": list(EVENTS)},
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        )  # fmt: skip

    # --- what functions are told -------------------------------------------------------------------------------------

    def _release_variables(self, failing: float) -> dict[str, str]:
        return {
            "FAILING": str(failing),
            "METRIC_NAMESPACE": METRICS,
            "SERVICE": NAME,
            "RELEASE_ID": release.name(self._number),
            "ENDPOINT_NAME": "none",
            "FEATURES": json.dumps(release.FEATURES),
            "PREDICTION_EDGES": json.dumps(release.EDGES),
            "LATENCY_MS": str(self._limits.latency_ms),
        }

    def _judge_variables(self) -> dict[str, str]:
        return {
            "FUNCTION_NAME": PREDICT,
            "ALIAS": LIVE,
            "SERVICE": NAME,
            "METRIC_NAMESPACE": METRICS,
            "CAPTURE_BUCKET": BUCKET,
            "KEY_ARN": self._key,
            "APPLICATION": NAME,
            "GROUP": PREDICT,
            "BAKE_MINUTES": "0",
            "ON_SILENCE": "return",
        }

    def _before_variables(self) -> dict[str, str]:
        """They name the release's manifest, which is there from now on."""
        body, key = release.manifest(self._number).encode(), f"{release.name(self._number)}/manifest.json"
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return {
            "FUNCTION_NAME": PREDICT,
            "MANIFEST_URI": f"s3://{BUCKET}/{key}",
            "MANIFEST_SHA256": hashlib.sha256(body).hexdigest(),
            "JUDGE_ARN": self._machine,
            "JUDGE_SECONDS": str(every(_SHIFT_MINUTES)),
            "BAKE_SECONDS": "10",
            "BAKE_MINUTES": "0",
        }

    # --- alarms ------------------------------------------------------------------------------------------------------

    def _watch(self, version: str) -> None:
        """Put the alarms of a version that stop its shift, in the place of those of the version before."""
        watched = Watched(NAME, PREDICT, LIVE, version, "none", [LIVE], NAME, LIVE)
        found = alarms(watched, self._limits, release.EDGES, release.SHARES, judged=True)
        # The judge knows where this pair's predictions lie: their distribution does not stop the shift.
        stopping = {purpose: alarm for purpose, alarm in found.items() if alarm.stops and purpose != "prediction-shift"}
        for purpose, alarm in stopping.items():
            self.client("cloudwatch").put_metric_alarm(AlarmName=purpose, **_request(dict(alarm.arguments)))
        names = [{"name": purpose} for purpose in stopping]
        self.client("codedeploy").update_deployment_group(
            applicationName=NAME, currentDeploymentGroupName=PREDICT,
            alarmConfiguration={"enabled": True, "alarms": names},
        )  # fmt: skip

    def quiet(self) -> bool:
        """Whether no alarm is in ALARM: a deployment that begins under one is stopped at once."""
        return not self.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]


def limits() -> Limits:
    """The alarms' thresholds where config gives none."""
    section = Section(Limits)
    found: Limits = build(section, section.values({}, "glidepath:alarms.", Problems()))
    return found


def own_package(name: str) -> tuple[str, ...]:
    """Files of the archive of a function of `bench.on_road`."""
    return reachable(ROOT, [f"bench/on_road/{name}.py"], _PACKED)


def _zip(files: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in files:
            archive.write(ROOT / file, file)
    return buffer.getvalue()


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _request(arguments: dict[str, Any]) -> dict[str, Any]:
    """An alarm's arguments as CloudWatch's API calls them."""
    queries = arguments.pop("metric_queries", None)
    if queries:
        arguments["metrics"] = [_query(query) for query in queries]
    else:
        arguments["dimensions"] = _dimensions(arguments["dimensions"])
    return {_pascal(key): value for key, value in arguments.items()}


def _query(query: dict[str, Any]) -> dict[str, Any]:
    found = {"Id": query["id"], "ReturnData": query["return_data"]}
    if "expression" in query:
        return {**found, "Expression": query["expression"]}
    metric = query["metric"]
    which = {"Namespace": metric["namespace"], "MetricName": metric["metric_name"]}
    which["Dimensions"] = _dimensions(metric["dimensions"])
    return {**found, "MetricStat": {"Metric": which, "Period": metric["period"], "Stat": metric["stat"]}}


def _dimensions(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": key, "Value": value} for key, value in given.items()]


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
