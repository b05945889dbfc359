"""Serving: REST API → alias `live` of the predict function → the release's endpoint."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
from pulumi_aws.apigateway.api_key import ApiKey
from pulumi_aws.apigateway.deployment import Deployment
from pulumi_aws.apigateway.method_settings import MethodSettings
from pulumi_aws.apigateway.rest_api import RestApi
from pulumi_aws.apigateway.stage import Stage
from pulumi_aws.apigateway.usage_plan import UsagePlan
from pulumi_aws.apigateway.usage_plan_key import UsagePlanKey
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.lambda_.alias import Alias
from pulumi_aws.lambda_.permission import Permission

from components.function import Function
from contracts.features import VARIABLE as INPUTS
from contracts.features import Feature, render_inputs
from contracts.former import VARIABLE, Former, fits, render_former
from contracts.names import LIVE, PREDICT, Names
from definitions.health import METRICS
from definitions.openapi import ACCESS_LOG, openapi

ALIAS = LIVE


class ServeArgs(TypedDict):
    """Arguments of the serving."""

    names: Names
    """The project's names."""
    env: str
    """Which environment."""
    endpoint: pulumi.Input[str]
    """Endpoint of the release."""
    release_id: str
    """Id of the release."""
    features: Sequence[str]
    """What a request holds, in the model's order."""
    inputs: Sequence[Feature]
    """What callers send, where that is more than numbers; else empty."""
    classes: Sequence[str]
    """Names of the classes that the model tells apart; empty where it answers a number."""
    edges: Sequence[float]
    """Edges between the bins that predictions are counted in; none: they are not counted."""
    latency_ms: float
    """From how many milliseconds on an answer is slow."""
    answering: Mapping[str, str]
    """Variant → release of an A/B test; empty where the release answers alone."""
    former: Former | None
    """The release that serves while this one takes over, where its requests look otherwise."""
    role_arn: pulumi.Input[str]
    """Role of the function."""
    key_arn: pulumi.Input[str]
    """Key of the logs."""
    rate: int
    """Requests per second."""
    burst: int
    """Requests at once."""
    api_key: bool
    """Whether callers need a key beside their signature."""
    quota_per_day: int
    """Requests per key and day."""
    log_days: int
    """How long logs are kept."""


class Serve(pulumi.ComponentResource):
    """Function, alias and API."""

    function: Function
    """The predict function."""
    alias: Alias
    """The alias that callers reach; CodeDeploy moves it."""
    url: pulumi.Output[str]
    """Base URL of the API's stage, without `/predict`."""
    handing: bool
    """Whether the function hands requests of the former schema on."""
    key: pulumi.Output[str] | None = None
    """Value of the API key, where callers need one."""

    def __init__(self, name: str, args: ServeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:serve:Serve", name, None, opts)
        names, env = args["names"], args["env"]
        variables = _variables(args)
        self.handing = VARIABLE in variables
        self.function = Function(
            f"{name}-predict",
            {
                "function_arn": names.function_arn(env, PREDICT),
                "package": "predict",
                "role_arn": args["role_arn"],
                "key_arn": args["key_arn"],
                "environment": variables,
                "log_days": args["log_days"],
                "seconds": 29,
                "memory": 512,
                "publish": True,
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.alias = Alias(
            name,
            name=ALIAS,
            function_name=self.function.name,
            function_version=self.function.version,
            # The program gives the alias its first version only. From then on CodeDeploy moves it, step by step and
            # back on alarm; set here, every release would go to all callers at once, before any shift.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["functionVersion", "routingConfig"]),
        )
        self.url = self._api(name, args)
        self.register_outputs({"url": self.url})

    def _api(self, name: str, args: ServeArgs) -> pulumi.Output[str]:
        own = pulumi.ResourceOptions(parent=self)
        names = args["names"]
        title = names.stack(args["env"])
        # Known before the alias is there, with its name alone: the API that an approver sees is the one that comes.
        body = self.alias.name.apply(
            lambda alias: json.dumps(
                openapi(title, names.invoke_arn(args["env"], alias), args["api_key"]), sort_keys=True
            )
        )
        owned = names.owned(args["env"])
        api = RestApi(name, name=title, body=body, endpoint_configuration={"types": "REGIONAL"}, tags=owned, opts=own)
        permission = Permission(
            name,
            action="lambda:InvokeFunction",
            function=self.function.name,
            qualifier=self.alias.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(api.execution_arn, f"/{ALIAS}/POST/predict"),
            opts=own,
        )
        deployment = Deployment(
            name,
            rest_api=api.id,
            triggers={"body": body.apply(lambda text: hashlib.sha256(text.encode()).hexdigest())},
            opts=own,
        )
        log = LogGroup(
            name,
            name=f"/aws/apigateway/{title}",
            retention_in_days=args["log_days"],
            kms_key_id=args["key_arn"],
            opts=own,
        )
        stage = Stage(
            name,
            rest_api=api.id,
            deployment=deployment.id,
            stage_name=ALIAS,
            access_log_settings={
                "destination_arn": log.name.apply(lambda group: names.arn("logs", f"log-group:{group}", args["env"])),
                "format": ACCESS_LOG,
            },
            xray_tracing_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        MethodSettings(
            name,
            rest_api=api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "metrics_enabled": True,
                "logging_level": "ERROR",
                "data_trace_enabled": False,
                "throttling_rate_limit": args["rate"],
                "throttling_burst_limit": args["burst"],
            },
            opts=own,
        )
        if args["api_key"]:
            self._key(name, args, api, stage)
        return stage.invoke_url

    def _key(self, name: str, args: ServeArgs, api: RestApi, stage: Stage) -> None:
        own = pulumi.ResourceOptions(parent=self)
        owned = args["names"].owned(args["env"])
        plan = UsagePlan(
            name,
            api_stages=[{"api_id": api.id, "stage": stage.stage_name}],
            throttle_settings={"rate_limit": args["rate"], "burst_limit": args["burst"]},
            quota_settings={"limit": args["quota_per_day"], "period": "DAY"},
            tags=owned,
            opts=own,
        )
        key = ApiKey(name, tags=owned, opts=own)
        self.key = key.value
        UsagePlanKey(name, key_id=key.id, key_type="API_KEY", usage_plan_id=plan.id, opts=own)


def _variables(args: ServeArgs) -> dict[str, pulumi.Input[str]]:
    """What a version is told. All of it is published with it, and goes with the alias."""
    found: dict[str, pulumi.Input[str]] = {
        "ENDPOINT_NAME": args["endpoint"],
        "RELEASE_ID": args["release_id"],
        "FEATURES": json.dumps(list(args["features"])),
        "METRIC_NAMESPACE": METRICS,
        "SERVICE": args["names"].stack(args["env"]),
        "PREDICTION_EDGES": json.dumps(list(args["edges"])),
        "LATENCY_MS": f"{args['latency_ms']:g}",
        **({INPUTS: render_inputs(args["inputs"])} if args["inputs"] else {}),
        **({"CLASSES": json.dumps(list(args["classes"]))} if args["classes"] else {}),
        **({"VARIANTS": json.dumps(dict(args["answering"]))} if args["answering"] else {}),
    }
    former = args["former"]
    if former is None:
        return found
    both = {**found, VARIABLE: render_former(former, args["features"])}
    if fits(both):
        return both
    pulumi.log.warn(
        f"the features of release {former.release} and of release {args['release_id']} do not fit into the 4 KB that"
        " Lambda gives a function's variables: requests of the former schema are refused (400) by the share of traffic"
        " that has moved"
    )
    return found
