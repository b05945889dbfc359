"""API Gateway: what internal/service/apigateway/*.go refuses before it calls AWS."""

from __future__ import annotations

from rehearsal.provider.rules.vocabulary import (
    Rules,
    Test,
    Values,
    arn,
    at_least,
    between,
    items,
    json_text,
    length,
    one_of,
)  # fmt: skip

# names.AttrPeriod of usage_plan.go: an offset lies within its period.
OFFSETS = {"DAY": 0, "WEEK": 6, "MONTH": 27}
# validation.StringLenBetween in api_key.go.
KEY_VALUE: Test = length(20, 128)


def _offset_within_period(given: Values) -> list[tuple[str, str]]:
    quota = given.get("quotaSettings")
    if not isinstance(quota, dict) or not isinstance(quota.get("offset"), int):
        return []
    period, offset = quota.get("period"), quota["offset"]
    highest = OFFSETS.get(period) if isinstance(period, str) else None
    if highest is None or offset <= highest:
        return []
    why = f"Usage Plan quota offset must be between 0 and {highest} in the {period} period"
    return [("quotaSettings.offset", why)]


RULES = {
    "aws:apigateway/account:Account": Rules("apigateway/account.go", {"cloudwatchRoleArn": arn}),
    "aws:apigateway/apiKey:ApiKey": Rules("apigateway/api_key.go", {"value": KEY_VALUE}),
    "aws:apigateway/methodSettings:MethodSettings": Rules(
        "apigateway/method_settings.go",
        {
            "settings.loggingLevel": one_of("OFF", "ERROR", "INFO"),
            "settings.unauthorizedCacheControlHeaderStrategy": one_of(
                "FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"
            ),
        },
    ),
    "aws:apigateway/restApi:RestApi": Rules(
        "apigateway/rest_api.go",
        {
            "apiKeySource": one_of("HEADER", "AUTHORIZER"),
            "endpointConfiguration.types": items(1, 1, one_of("REGIONAL", "EDGE", "PRIVATE")),
            "minimumCompressionSize": between(-1, 10485760),
            "policy": json_text,
            "putRestApiMode": one_of("overwrite", "merge"),
        },
    ),
    "aws:apigateway/stage:Stage": Rules(
        "apigateway/stage.go",
        {
            "accessLogSettings.destinationArn": arn,
            "accessLogSettings.format": length(1, 2**31 - 1),
            "cacheClusterSize": one_of("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"),
        },
    ),
    "aws:apigateway/usagePlan:UsagePlan": Rules(
        "apigateway/usage_plan.go",
        {
            "quotaSettings.limit": at_least(1),
            "quotaSettings.offset": at_least(0),
            "quotaSettings.period": one_of("DAY", "WEEK", "MONTH"),
        },
        (_offset_within_period,),
    ),
}
