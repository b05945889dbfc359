"""REST APIs answer over HTTP: signatures, keys, validation, the proxy integration, logs and metrics."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.exceptions import ClientError

from rehearsal.cloud.core.accounts import admin_credentials
from rehearsal.cloud.core.cloud import Cloud
from tests.rehearsal.cloud.lambda_support import REGION, eventually, make_function, make_role

CODE = """
import json
def handler(event, context):
    if event["body"] and "raise" in event["body"]:
        raise ValueError("broken")
    if event["headers"].get("X-Raw"):
        return json.loads(event["headers"]["X-Raw"])
    return {"statusCode": 200, "headers": {"x-version": context.function_version, "Date": "never"},
            "body": json.dumps(event)}
"""
MODEL = {
    "type": "object",
    "required": ["instances"],
    "properties": {"instances": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}},
}


@dataclass
class Api:
    """One deployed API and the means to call it."""

    cloud: Cloud
    account: str
    id: str
    function: str
    stage: str = "live"

    def ask(
        self,
        path: str = "/predict",
        body: str = '{"instances": []}',
        *,
        sign: bool = True,
        service: str = "execute-api",
        method: str = "POST",
        headers: dict[str, str] | None = None,
        spoil: bool = False,
        secret: str | None = None,
        account: str | None = None,
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, parsed body and headers of a request, by default signed by the account's administrator."""
        target = f"/_aws/execute-api/{self.id}/{self.stage}{path}"
        sent = {"Content-Type": "application/json", **(headers or {})}
        request = AWSRequest(method, self.cloud.url + target, sent, body)
        if sign:
            keys = admin_credentials(account or self.account)
            signing = BotocoreCredentials(keys.access_key_id, secret or keys.secret_access_key)
            SigV4Auth(signing, service, REGION).add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.cloud.port, timeout=60)
        connection.request(method, target, body + (" " if spoil else ""), dict(request.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content or b"null"), {k.lower(): v for k, v in answer.getheaders()}


def document(account: str, function: str, **method: Any) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{REGION}:{account}:function:{function}:live"
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    post = {
        "security": [{"sigv4": []}],
        "x-amazon-apigateway-request-validator": "all",
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}}},
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri},
        **method,
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "predictions", "version": "1"},
        "paths": {"/predict": {"post": post}, "/things/{id}": {"get": {**post, "requestBody": {}}}},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "components": {
            "securitySchemes": {
                "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header",
                          "x-amazon-apigateway-authtype": "awsSigv4"},
                "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            },
            "schemas": {"Request": MODEL, "Row": {"type": "object", "required": ["a"]}},
        },
    }  # fmt: skip


def deploy(
    cloud: Cloud, account: str, grant: bool = True, function: dict[str, Any] | None = None, **method: Any
) -> Api:
    """Function, alias, API, deployment and stage, as the real provider makes them."""
    lambda_ = cloud.client("lambda", account, REGION)
    make_function(cloud, account, "predict", CODE, Publish=True, **(function or {}))
    lambda_.create_alias(FunctionName="predict", Name="live", FunctionVersion="1")
    gateway = cloud.client("apigateway", account, REGION)
    api = gateway.create_rest_api(name="predictions")["id"]
    body = json.dumps(document(account, "predict", **method))
    gateway.put_rest_api(restApiId=api, mode="overwrite", body=body)
    if grant:
        lambda_.add_permission(
            FunctionName="predict", Qualifier="live", StatementId="api", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{account}:{api}/*/*/*",
        )  # fmt: skip
    deployment = gateway.create_deployment(restApiId=api)["id"]
    gateway.create_stage(restApiId=api, stageName="live", deploymentId=deployment)
    return Api(cloud, account, api, "predict")


def test_signed_request_reaches_the_function(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    status, event, headers = api.ask("/predict?a=1&a=2", headers={"X-Custom": "c"})
    assert status == 200
    assert headers["x-version"] == "1"
    assert headers["x-amzn-remapped-date"] == "never"
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/predict", "/predict", "POST")
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["headers"]["X-Custom"] == "c"
    assert event["multiValueHeaders"]["X-Custom"] == ["c"]
    assert "Authorization" not in event["headers"]
    assert event["body"] == '{"instances": []}'
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert (context["stage"], context["path"], context["apiId"]) == ("live", "/live/predict", api.id)
    assert context["identity"]["userArn"] == f"arn:aws:iam::{account}:user/administrator"
    assert context["requestId"] == headers["x-amzn-requestid"]
    assert api.ask("/things/7", "", method="GET")[1]["pathParameters"] == {"id": "7"}


def test_signature_is_required_and_checked(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    status, body, headers = api.ask(sign=False)
    assert (status, body) == (403, {"message": "Missing Authentication Token"})
    assert headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    for options, message in [
        ({"spoil": True}, "does not match the signature you provided"),
        ({"secret": "guess"}, "does not match the signature you provided"),
        ({"service": "lambda"}, "Credential should be scoped to correct service: 'execute-api'"),
    ]:
        status, body, _ = api.ask(**options)  # type: ignore[arg-type]
        assert status == 403
        assert message in body["message"]
    assert api.ask("/nothing")[:2] == (403, {"message": "Missing Authentication Token"})
    api.stage = "none"
    assert api.ask()[:2] == (403, {"message": "Forbidden"})


def test_other_accounts_need_the_apis_policy(cloud: Cloud, account: str, other_account: str) -> None:
    api = deploy(cloud, account)
    status, body, _ = api.ask(account=other_account)
    assert status == 403
    assert "is not authorized to perform: execute-api:Invoke" in body["message"]
    assert account not in body["message"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{other_account}:root"},
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/live/POST/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    gateway = cloud.client("apigateway", account, REGION)
    change = {"op": "replace", "path": "/policy", "value": policy}
    gateway.update_rest_api(restApiId=api.id, patchOperations=[change])
    assert api.ask(account=other_account)[0] == 403, "a policy works only once it is deployed"
    gateway.create_deployment(restApiId=api.id, stageName="live")
    assert api.ask(account=other_account)[0] == 200


def test_body_is_validated_against_the_model(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    assert api.ask(body='{"instances": [{"a": 1}]}')[0] == 200
    for bad in ('{"instances": [{}]}', '{"instances": 1}', "{}", "no json", ""):
        assert api.ask(body=bad)[:2] == (400, {"message": "Invalid request body"}), bad
    assert api.ask(body="1,2", headers={"Content-Type": "text/csv"})[0] == 200, "no model for this type"


def test_required_parameters(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account, parameters=[{"in": "query", "name": "q", "required": True}])
    assert api.ask()[:2] == (400, {"message": "Missing required request parameters: [q]"})
    assert api.ask("/predict?q=1")[0] == 200


def test_failing_function_is_502_and_a_missing_permission_500(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account, requestBody={})
    assert api.ask(body='"raise"')[:2] == (502, {"message": "Internal server error"})
    for raw in ('"text"', '{"body": "x"}', '{"statusCode": 200, "body": {}}', '{"statusCode": 200, "odd": 1}', "[]"):
        assert api.ask(headers={"X-Raw": raw})[:2] == (502, {"message": "Internal server error"}), raw
    status, _, headers = api.ask(headers={"X-Raw": '{"statusCode": 418, "multiValueHeaders": {"A": ["1", "2"]}}'})
    assert (status, headers["a"]) == (418, "2")
    cloud.client("lambda", account, REGION).remove_permission(
        FunctionName="predict", Qualifier="live", StatementId="api"
    )
    assert api.ask()[:2] == (500, {"message": "Internal server error"})


def test_integration_timeout_is_504(cloud: Cloud, account: str) -> None:
    slow = "import time\ndef handler(e, c):\n  time.sleep(1.5)\n  return {'statusCode': 200}\n"
    api = deploy(cloud, account)
    lambda_, gateway = cloud.client("lambda", account, REGION), cloud.client("apigateway", account, REGION)
    make_function(cloud, account, "slow", slow, Publish=True)
    lambda_.create_alias(FunctionName="slow", Name="live", FunctionVersion="1")
    lambda_.add_permission(
        FunctionName="slow", Qualifier="live", StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )  # fmt: skip
    body = document(account, "slow")
    for item in body["paths"].values():
        for method in item.values():
            method["x-amazon-apigateway-integration"]["timeoutInMillis"] = 200
    gateway.put_rest_api(restApiId=api.id, mode="overwrite", body=json.dumps(body))
    gateway.create_deployment(restApiId=api.id, stageName="live")
    assert api.ask()[:2] == (504, {"message": "Endpoint request timed out"})


def test_api_key_and_usage_plan(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account, security=[{"sigv4": [], "key": []}])
    gateway = cloud.client("apigateway", account, REGION)
    key = gateway.create_api_key(name="k", enabled=True)
    assert api.ask()[:2] == (403, {"message": "Forbidden"})
    headers = {"x-api-key": key["value"]}
    assert api.ask(headers=headers)[0] == 403, "a key works only through a usage plan"
    plan = gateway.create_usage_plan(
        name="p",
        apiStages=[{"apiId": api.id, "stage": "live"}],
        quota={"limit": 2, "period": "DAY"},
    )
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    status, event, _ = api.ask(headers=headers)
    assert (status, event["requestContext"]["identity"]["apiKeyId"]) == (200, key["id"])
    assert api.ask(headers=headers, sign=False)[0] == 403, "the key does not replace the signature"
    assert api.ask(headers=headers)[0] == 200
    assert api.ask(headers=headers)[:2] == (429, {"message": "Limit Exceeded"})


def test_stage_throttles(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    changes = [
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.01"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
    ]
    gateway = cloud.client("apigateway", account, REGION)
    gateway.update_stage(restApiId=api.id, stageName="live", patchOperations=changes)
    assert [api.ask()[0] for _ in range(3)] == [200, 200, 429]
    gateway.update_stage(restApiId=api.id, stageName="live", patchOperations=[{"op": "remove", "path": "/*/*"}])
    assert api.ask()[0] == 200


def test_a_stage_serves_its_snapshot(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    gateway = cloud.client("apigateway", account, REGION)
    open_document = document(account, "predict", security=[])
    gateway.put_rest_api(restApiId=api.id, mode="overwrite", body=json.dumps(open_document))
    assert api.ask(sign=False)[0] == 403
    before = gateway.get_stage(restApiId=api.id, stageName="live")["deploymentId"]
    after = gateway.create_deployment(restApiId=api.id, stageName="live")["id"]
    assert api.ask(sign=False)[0] == 200
    with pytest.raises(ClientError, match="Active stages"):
        gateway.delete_deployment(restApiId=api.id, deploymentId=after)
    gateway.delete_deployment(restApiId=api.id, deploymentId=before)


def test_gateway_responses(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    gateway = cloud.client("apigateway", account, REGION)
    gateway.put_gateway_response(
        restApiId=api.id, responseType="BAD_REQUEST_BODY", statusCode="422",
        responseParameters={"gatewayresponse.header.X-Why": "'body'"},
        responseTemplates={"application/json": '{"error": $context.error.messageString}'},
    )  # fmt: skip
    gateway.create_deployment(restApiId=api.id, stageName="live")
    status, body, headers = api.ask(body="{}")
    assert (status, body, headers["x-why"]) == (422, {"error": "Invalid request body"}, "body")


def test_a_log_role_that_asks_for_the_account_is_one_that_nobody_can_assume(cloud: Cloud, account: str) -> None:
    """No page of AWS says that API Gateway names the account where it assumes the role; all examples ask for none."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = cloud.client("iam", account, REGION).create_role(RoleName="api-logs", AssumeRolePolicyDocument=document)
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role["Role"]["Arn"]}
    with pytest.raises(ClientError, match="does not have required permissions configured"):
        cloud.client("apigateway", account, REGION).update_account(patchOperations=[change])


def test_access_log_and_metrics(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    gateway, logs = cloud.client("apigateway", account, REGION), cloud.client("logs", account, REGION)
    logs.create_log_group(logGroupName="access")
    form = '{"id":"$context.requestId","status":"$context.status","who":"$context.identity.userArn"}'
    destination = f"arn:aws:logs:{REGION}:{account}:log-group:access"
    changes = [
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": destination},
        {"op": "replace", "path": "/accessLogSettings/format", "value": form},
    ]
    with pytest.raises(ClientError, match="CloudWatch Logs role ARN must be set"):
        gateway.update_stage(restApiId=api.id, stageName="live", patchOperations=changes)
    role = make_role(cloud, account, "api-logs", "apigateway.amazonaws.com")
    gateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    gateway.update_stage(restApiId=api.id, stageName="live", patchOperations=changes)
    _, _, headers = api.ask()
    api.ask(body="{}")

    def lines() -> list[dict[str, str]]:
        found = logs.filter_log_events(logGroupName="access")["events"]
        return [json.loads(event["message"]) for event in found]

    eventually(lambda: len(lines()) == 2)
    assert [line["status"] for line in lines()] == ["200", "400"]
    assert lines()[0]["id"] == headers["x-amzn-requestid"]
    assert lines()[0]["who"].endswith("user/administrator")
    metrics = cloud.client("cloudwatch", account, REGION)

    def names() -> set[str]:
        return {metric["MetricName"] for metric in metrics.list_metrics(Namespace="AWS/ApiGateway")["Metrics"]}

    eventually(lambda: {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"} <= names())


def test_what_cannot_be_executed_is_refused(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    gateway = cloud.client("apigateway", account, REGION)
    broken = document(account, "predict")
    broken["paths"]["/predict"]["post"]["x-amazon-apigateway-integration"] = {"type": "mock"}
    gateway.put_rest_api(restApiId=api.id, mode="overwrite", body=json.dumps(broken))
    with pytest.raises(ClientError, match="does not implement apigateway"):
        gateway.create_deployment(restApiId=api.id)
    schema = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nothing"}}}}
    body = json.dumps(document(account, "predict", requestBody=schema))
    with pytest.raises(ClientError, match="model 'Nothing' is not defined"):
        gateway.put_rest_api(restApiId=api.id, mode="overwrite", body=body)


def test_concurrent_requests(cloud: Cloud, account: str) -> None:
    api = deploy(cloud, account)
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda _: api.ask()[0], range(80)))
    assert set(statuses) == {200}
