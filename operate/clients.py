"""Clients for each stack's account, under that stack's own profile unless another is named."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.loaders import create_loader

from operate.project import Project


class Clients:
    """boto3 clients by stack and service; made once each, since building one costs far more than a call.

    `profiles` names others for some stacks; None stands for whatever credentials this machine has by itself, such as
    the role of a notebook instance.
    """

    def __init__(self, project: Project, profiles: Mapping[str, str | None] | None = None) -> None:
        self._project = project
        self._profiles = profiles or {}
        # One for all sessions: each would read the services' descriptions, megabytes of JSON, anew.
        self._loader = create_loader()
        self.session = cache(self._new_session)
        self.of = cache(self._new_client)

    def credentials(self, stack: str) -> Credentials:
        """The administrator's keys of a stack's account."""
        credentials = self.session(stack).get_credentials()
        assert credentials is not None, f"profile {self._profile(stack)} has no keys"
        return credentials

    def _new_session(self, stack: str) -> boto3.Session:
        core = botocore.session.get_session()
        core.register_component("data_loader", self._loader)
        profile, region = self._profile(stack), self._project.names.region
        return boto3.Session(botocore_session=core, profile_name=profile, region_name=region)

    def _profile(self, stack: str) -> str | None:
        return self._profiles.get(stack, self._project.names.stack(stack))

    def _new_client(self, stack: str, service: str) -> Any:
        # The names of services are plain strings here, so the typed overloads of boto3 do not apply.
        session: Any = self.session(stack)
        return session.client(service, config=Config(retries={"max_attempts": 2}, max_pool_connections=20))
