"""What API references say in prose: limits, rules across members, grammars of documents, values given only in text.

A module for each service whose records moto keeps; a service with a folder of its own has its rules there.
"""

from rehearsal.cloud.services.rules import delivery as _delivery  # noqa: F401
from rehearsal.cloud.services.rules import iam as _iam  # noqa: F401  these register their rules
from rehearsal.cloud.services.rules import jobs as _jobs  # noqa: F401
from rehearsal.cloud.services.rules import kms as _kms  # noqa: F401
from rehearsal.cloud.services.rules import logs as _logs  # noqa: F401
from rehearsal.cloud.services.rules import s3 as _s3  # noqa: F401
from rehearsal.cloud.services.rules import secretsmanager as _secretsmanager  # noqa: F401
from rehearsal.cloud.services.rules import sns as _sns  # noqa: F401
from rehearsal.cloud.services.rules import sqs as _sqs  # noqa: F401
from rehearsal.cloud.services.rules import ssm as _ssm  # noqa: F401
from rehearsal.cloud.services.rules import sts as _sts  # noqa: F401
