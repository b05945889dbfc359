"""The public side of API Gateway: requests to the stages of REST APIs."""

from rehearsal.cloud.services.apigateway.execute import handler

__all__ = ["handler"]
