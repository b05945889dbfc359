"""An environment as its roles see it."""

from dataclasses import dataclass

from contracts.names import Names


@dataclass(frozen=True)
class Environment:
    """One environment and the ARN of its key (known only after it is made).

    `by` is who looks at its data, `own` or `sagemaker`: the roles are those of this monitor alone. `probe`: whether it
    is asked by a probe. `judge`: whether its shifts are judged.
    """

    names: Names
    env: str
    key_arn: str
    by: str = "own"
    probe: bool = False
    judge: bool = False

    def arn(self, service: str, resource: str) -> str:
        """ARN of a regional resource of this environment's account."""
        return self.names.arn(service, resource, self.env)

    @property
    def prefix(self) -> str:
        """`{name}-{env}`."""
        return self.names.stack(self.env)

    @property
    def capture(self) -> str:
        """Capture bucket."""
        return self.names.capture_bucket(self.env)

    @property
    def s3(self) -> str:
        """S3 as KMS sees it."""
        return f"s3.{self.names.region}.amazonaws.com"
