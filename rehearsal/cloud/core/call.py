"""One request for one operation of one service."""

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.wire.types import Principal

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from rehearsal.cloud.core.cloud import Cloud


@dataclass
class Call:
    """`params` is the parsed input shape. `request` is the raw request, or None for a call made inside the gateway."""

    cloud: "Cloud"
    account: str
    region: str
    service: str
    operation: str
    params: dict[str, Any]
    principal: Principal
    access_key: str
    request: "Request | None" = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    """Extra headers that the answer shall carry."""

    def forward(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """What moto answers, parsed to the output shape. Raises AwsError when moto answers an error."""
        return self.cloud.store_call(
            self.service,
            self.operation,
            self.account,
            self.region,
            self.params if params is None else params,
            access_key=self.access_key,
        )

    def relay(self) -> "Response":
        """moto's answer to the request as it came. Raises AwsError where moto has none."""
        from rehearsal.cloud.wire.protocol import service_model

        assert self.request is not None, "a call made inside the gateway has no request to relay"
        body = self.request.get_data()
        environ = {key: value for key, value in self.request.environ.items() if not key.startswith("werkzeug.")}
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        model = service_model(self.service).operation_model(self.operation)
        return self.cloud.moto.send(model, environ, self.account)
