"""Addresses of SageMaker's own images."""

from contracts.images import MONITOR, MONITOR_ACCOUNTS, XGBOOST, XGBOOST_ACCOUNTS, XGBOOST_VERSION


def xgboost(region: str) -> str:
    """Image of built-in XGBoost, for training, evaluation and serving. Settings admit no region without one."""
    return f"{_registry(XGBOOST_ACCOUNTS[region], region)}/{XGBOOST}:{XGBOOST_VERSION}"


def model_monitor(region: str) -> str:
    """Image of Model Monitor's analyzer, where that looks at the data."""
    return f"{_registry(MONITOR_ACCOUNTS[region], region)}/{MONITOR}"


def repository_arn(image: str, partition: str = "aws") -> str:
    """ARN of the repository that an image address points into."""
    host, _, repository = image.partition("/")
    account, _, _, region = host.split(".")[:4]
    return f"arn:{partition}:ecr:{region}:{account}:repository/{repository.partition(':')[0]}"


def _registry(account: str, region: str) -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com"
