"""API Gateway's REST APIs: moto keeps them; importing, deploying, the checks and the public side are ours."""

from rehearsal.cloud.services.apigateway import answers, authorization, operations, rules, tags
from rehearsal.cloud.services.apigateway.execute import handler

__all__ = ["answers", "authorization", "handler", "operations", "rules", "tags"]
