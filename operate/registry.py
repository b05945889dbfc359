"""What a return to a former release changes in the model registry."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from contracts.names import DELIVERY
from contracts.packages import APPROVED, REJECTED, decision, moment
from contracts.release import Release
from operate.clients import Clients
from operate.history import History
from operate.project import Project


def record_return(
    clients: Clients, project: Project, stack: str, left: str, target: Release, reason: str, say: Callable[[str], None]
) -> None:
    """Production's only: the package of the release that was left is rejected, that of what serves again approved.

    It is done with the operator's own rights, and after the return: what cannot be written is a warning, no failure.
    """
    if stack != project.names.production:
        return
    words = f"returned from {left} to {target.id} by {getpass.getuser()}{': ' + reason if reason else ''}"
    at = moment(datetime.now(UTC))

    def keep(release: str, status: str, find: Callable[[], str | None]) -> None:
        try:
            package = find()
            if package is None:
                say(f"warning: the model registry keeps the status of release {left}: its manifest cannot be read")
                return
            sagemaker = clients.of(DELIVERY, "sagemaker")
            found = sagemaker.describe_model_package(ModelPackageName=package)
            sagemaker.update_model_package(**decision(found, status, words, at))
        except (BotoCoreError, ClientError) as error:
            say(f"warning: the model registry does not say {status} of release {release}, set it by hand: {error}")

    # What serves comes last: both may be of one package, where somebody has made a release from another by hand.
    keep(left, REJECTED, lambda: _package(History(clients, project, stack), left))
    keep(target.id, APPROVED, lambda: target.model.package)


def _package(history: History, release: str) -> str | None:
    """The package of a release, whether it has served or was only on its way; None where its manifest is gone."""
    served = [entry.manifest for entry in history.served() if entry.release == release]
    manifest = history.manifest(served[-1]) if served else history.manifests().get(release)
    return manifest.release.model.package if manifest else None
