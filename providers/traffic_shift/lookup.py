"""What a shift looks at before it decides: the alias, what a version was published with, an endpoint."""

from collections.abc import Mapping
from typing import Any

from providers.traffic_shift.decide import Alias


def alias_of(lambda_: Any, props: Mapping[str, Any]) -> Alias:
    """Where the alias is. Raises ClientError, as ResourceNotFoundException where there is none."""
    found = lambda_.get_alias(FunctionName=props["function"], Name=props["alias"])
    return Alias(found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def variables_of(lambda_: Any, function: str, version: str) -> dict[str, str]:
    """The environment that a version was published with."""
    found = lambda_.get_function_configuration(FunctionName=function, Qualifier=version)
    variables: dict[str, str] = (found.get("Environment") or {}).get("Variables") or {}
    return variables


def endpoint_of(sagemaker: Any, name: str) -> dict[str, Any]:
    """An endpoint as SageMaker describes it; empty where it is gone."""
    # Imported here: a provider's process imports the SDK when it works.
    from botocore.exceptions import ClientError

    try:
        return dict(sagemaker.describe_endpoint(EndpointName=name))
    except ClientError as error:
        if "Could not find endpoint" in str(error):
            return {}
        raise
