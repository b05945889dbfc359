"""moto's records, answered with the members that AWS answers: what moto leaves out, adds, or shapes in its own way."""

from rehearsal.cloud.services.answers import iam as _iam  # noqa: F401  these register their operations
from rehearsal.cloud.services.answers import kms as _kms  # noqa: F401
from rehearsal.cloud.services.answers import logs as _logs  # noqa: F401
from rehearsal.cloud.services.answers import s3 as _s3  # noqa: F401
from rehearsal.cloud.services.answers import secretsmanager as _secretsmanager  # noqa: F401
from rehearsal.cloud.services.answers import sns as _sns  # noqa: F401
