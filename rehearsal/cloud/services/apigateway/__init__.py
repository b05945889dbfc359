"""API Gateway's REST APIs: moto keeps them; importing, deploying and the checks are ours."""

from rehearsal.cloud.services.apigateway import operations

__all__ = ["operations"]
