"""One request for one operation of one service."""

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.core import service_time
from rehearsal.cloud.core.cloud import Cloud
from rehearsal.cloud.core.ports import Place
from rehearsal.cloud.wire.types import Principal

if TYPE_CHECKING:
    from moto.core.model import OperationModel
    from werkzeug.wrappers import Response

    from rehearsal.cloud.wire.request import Request


@dataclass
class Call:
    """`params` is the parsed input shape. `request` is the raw request, or None for a call made inside the gateway."""

    cloud: Cloud
    account: str
    region: str
    service: str
    operation: str
    params: dict[str, Any]
    principal: Principal
    access_key: str
    action: str
    """The IAM action, e.g. `s3:GetObject` for HeadObject."""
    model: "OperationModel | None" = field(default=None, repr=False)
    """botocore's model of the operation; None for a permission that is no operation."""
    request: "Request | None" = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    """Extra headers that the answer shall carry."""
    begun: service_time.Mark = field(default_factory=service_time.mark)
    """When this thread began to work on it."""

    @property
    def place(self) -> Place:
        """Where the call is made."""
        return Place(self.account, self.region)

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
        assert self.request is not None, "a call made inside the gateway has no request to relay"
        assert self.model is not None, "a request is for an operation"
        return self.cloud.moto.send(self.model, _for_moto(self.request), self.account)


def _for_moto(request: "Request") -> "Request":
    """The request itself, as far as it was read. moto unpacks a packed body from the stream, so it gets its own."""
    if request.content_encoding != "gzip":
        return request
    body = request.get_data()
    environ = {key: value for key, value in request.environ.items() if not key.startswith("werkzeug.")}
    return type(request)(environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
