"""Runs a build: real files, a real shell, the project's role."""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rehearsal.cloud.core.api import AwsError, Cloud, Event, Place, on_restore
from rehearsal.cloud.services.codebuild import credentials
from rehearsal.cloud.services.codebuild.buildspec import PHASES, Buildspec, BuildspecError, Phase, parse_buildspec
from rehearsal.cloud.services.codebuild.environment import (
    Variable,
    VariableError,
    commands,
    image_environment,
    merge_variables,
    pulumi_home,
    resolve,
)
from rehearsal.cloud.services.codebuild.logs import BuildLog, LogDeniedError
from rehearsal.cloud.services.codebuild.shell import Session
from rehearsal.cloud.services.codebuild.source import PhaseError, download, read_buildspec, upload
from rehearsal.cloud.services.codebuild.state import Build
from rehearsal.cloud.wire.types import INTERRUPTED

SERVICE = "codebuild.amazonaws.com"
# after these a failure ends the build; a failed build phase still gets its post_build, and its artifacts
_ENDING = ("install", "pre_build")


class StoppedError(Exception):
    """The build was stopped, or the cloud goes down."""


def run_build(cloud: Cloud, build: Build) -> None:
    """Runs `build` to its end; whatever happens is written into its data and its log."""
    folder = Path(tempfile.mkdtemp(prefix="codebuild-", dir=cloud.root))
    try:
        _Run(cloud, build, folder).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@on_restore
def end_interrupted(cloud: Cloud) -> None:
    """A build's processes ended with the cloud that ran them."""
    for _, _, kept in cloud.stores("codebuild"):
        for build in kept["registry"].builds.values() if "registry" in kept else ():
            if not build.data["buildComplete"]:
                _Run(cloud, build, cloud.root).interrupted()


class _Run:
    def __init__(self, cloud: Cloud, build: Build, folder: Path) -> None:
        self.cloud = cloud
        self.build = build
        self.folder = folder
        self.status = "SUCCEEDED"
        self.deadline = time.monotonic() + 60 * build.data["timeoutInMinutes"]
        self.log = BuildLog(build, None, "", "")
        self.grant = credentials.Grant(build.data["serviceRole"], self._assume)

    def run(self) -> None:
        self._event("IN_PROGRESS")
        try:
            self._phases()
        except _EndedError:
            pass
        except StoppedError:
            self._close("STOPPED", "", "")
        except TimeoutError:
            minutes = self.build.data["timeoutInMinutes"]
            self._close("TIMED_OUT", "BUILD_TIMED_OUT", f"Build has timed out after {minutes} minutes. ")
        except PhaseError as error:
            self._close("FAILED", error.code, error.message)
        except Exception as error:
            self._close("FAULT", "INTERNAL_ERROR", f"{type(error).__name__}: {error}")
            raise
        finally:
            self._complete()

    def interrupted(self) -> None:
        """The build is at its end, because what ran it is."""
        self._close("FAULT", "INTERNAL_ERROR", INTERRUPTED)
        self.status = "FAULT"
        self._complete()

    def _phases(self) -> None:
        for phase in ("SUBMITTED", "QUEUED"):
            self._begin(phase)
            self._end()
        self._begin("PROVISIONING")
        self._open_log()
        self._end()
        self._begin("DOWNLOAD_SOURCE")
        s3 = self._client("s3")
        self.log.note("Phase is DOWNLOAD_SOURCE")
        sources = download(self.build, s3, self.folder)
        spec, session = self._prepare(s3, sources)
        self._end()
        try:
            self._commands(spec, session)
            self._begin("UPLOAD_ARTIFACTS")
            upload(self.build, spec, s3, sources[""])
            self._end()
        finally:
            session.kill()

    def _prepare(self, s3: Any, sources: dict[str, Path]) -> tuple[Buildspec, Session]:
        try:
            spec = parse_buildspec(read_buildspec(self.build, s3, sources[""]))
            self._tell_python(spec)
        except BuildspecError as error:
            raise PhaseError("YAML_FILE_ERROR", str(error)) from error
        env = self._environment(spec, sources)
        session = Session(
            spec.shell,
            env,
            sources[""],
            self.folder / "shell",
            self.log.line,
            self._stopping,
            self.cloud.run_process,
        )
        self.build.session = session
        return spec, session

    def _tell_python(self, spec: Buildspec) -> None:
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        if spec.python not in (None, "latest", "3.x", running):
            self.log.note(f"Python {spec.python} is asked for; the rehearsal's image has Python {running} alone")

    def _commands(self, spec: Buildspec, session: Session) -> None:
        succeeding = True
        for name in PHASES:
            self._begin(name.upper())
            phase = spec.phases.get(name, Phase())
            failure = self._phase(phase, session, succeeding)
            if failure is None:
                self._end()
                continue
            succeeding = False
            self.status = "FAILED"
            self._end("FAILED", "COMMAND_EXECUTION_ERROR", failure)
            if phase.on_failure == "ABORT" or (name in _ENDING and phase.on_failure != "CONTINUE"):
                self._export(spec, session)
                raise _EndedError
        self._export(spec, session)

    def _phase(self, phase: Phase, session: Session, succeeding: bool) -> str | None:
        """Runs the phase's commands, then its finally block; gives the first failure."""
        session.run(f"export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}")
        failure = self._run_all(phase.commands, session)
        afterwards = self._run_all(phase.always, session)
        return failure or afterwards

    def _run_all(self, commands: tuple[str, ...], session: Session) -> str | None:
        for command in commands:
            self.log.note(f"Running command {command}")
            status = session.run(command, self.deadline)
            if self._stopping():
                raise StoppedError
            if status != 0:
                reason = f"Error while executing command: {command}. Reason: exit status {status}"
                self.log.note(f"Command did not exit successfully {command} exit status {status}")
                return reason
        return None

    def _export(self, spec: Buildspec, session: Session) -> None:
        if not spec.exported or self._stopping():
            return
        values = session.exported()
        self.build.data["exportedEnvironmentVariables"] = [
            {"name": name, "value": values[name]} for name in spec.exported if name in values
        ]

    def _environment(self, spec: Buildspec, sources: dict[str, Path]) -> dict[str, str]:
        ssm, secrets = self._client("ssm"), self._client("secretsmanager")
        declared = [
            *(Variable(name, value) for name, value in spec.variables.items()),
            *(Variable(name, value, "PARAMETER_STORE") for name, value in spec.parameter_store.items()),
            *(Variable(name, value, "SECRETS_MANAGER") for name, value in spec.secrets_manager.items()),
        ]
        # what project and start name wins over the buildspec, without the buildspec's value being read at all
        project = merge_variables(self.build.data["environment"]["environmentVariables"], [])
        names = {variable.name for variable in project}
        try:
            values, hidden = resolve([*(v for v in declared if v.name not in names), *project], ssm, secrets)
        except VariableError as error:
            code, _, message = str(error).partition(": ")
            raise PhaseError(code, message) from error
        self.log.hide(hidden)
        endpoint = {"AWS_ENDPOINT_URL": self.cloud.url}
        return (
            image_environment() | endpoint | self._given(sources) | credentials.publish(self.cloud, self.grant) | values
        )

    def _given(self, sources: dict[str, Path]) -> dict[str, str]:
        build, data = self.build, self.build.data
        home, scratch = self.folder / "home", self.folder / "tmp"
        home.mkdir()
        scratch.mkdir()
        given = {
            "HOME": str(home),
            "TMPDIR": str(scratch),
            **pulumi_home(home),
            **commands(self.folder / "bin", os.environ.get("PATH", "")),
            "AWS_REGION": build.region,
            "AWS_DEFAULT_REGION": build.region,
            "CODEBUILD_BUILD_ID": build.id,
            "CODEBUILD_BUILD_ARN": data["arn"],
            "CODEBUILD_BUILD_NUMBER": str(data["buildNumber"]),
            "CODEBUILD_BUILD_IMAGE": data["environment"]["image"],
            "CODEBUILD_INITIATOR": data["initiator"],
            "CODEBUILD_KMS_KEY_ID": data["encryptionKey"],
            "CODEBUILD_LOG_PATH": build.id.partition(":")[2],
            "CODEBUILD_PROJECT_ARN": build.project["arn"],
            "CODEBUILD_START_TIME": str(int(data["startTime"].timestamp() * 1000)),
            "CODEBUILD_SOURCE_VERSION": data.get("sourceVersion", ""),
            "CODEBUILD_RESOLVED_SOURCE_VERSION": data.get("resolvedSourceVersion", data.get("sourceVersion", "")),
            "CODEBUILD_BUILD_SUCCEEDING": "1",
        }
        for name, folder in sources.items():
            given["CODEBUILD_SRC_DIR" + (f"_{name}" if name else "")] = str(folder)
        return given

    def _open_log(self) -> None:
        build = self.build
        config = build.project.get("logsConfig", {}).get("cloudWatchLogs", {})
        group = config.get("groupName") or f"/aws/codebuild/{build.data['projectName']}"
        stream = "/".join(part for part in (config.get("streamName"), build.id.partition(":")[2]) if part)
        if config.get("status") == "DISABLED":
            build.data["logs"] = {"cloudWatchLogs": {"status": "DISABLED"}}
            return
        base = f"arn:aws:logs:{build.region}:{build.account}:log-group:{group}"
        build.data["logs"] = {
            "groupName": group,
            "streamName": stream,
            "deepLink": f"https://console.aws.amazon.com/cloudwatch/home?region={build.region}#logsV2:log-groups/log-group/{group}",
            "cloudWatchLogsArn": f"{base}:log-stream:{stream}",
            "cloudWatchLogs": {"status": "ENABLED", "groupName": group, "streamName": stream},
        }
        self.log = BuildLog(build, self._client("logs"), group, stream)
        try:
            self.log.open()
        except LogDeniedError as error:
            self.log = BuildLog(build, None, "", "")
            raise PhaseError("ACCESS_DENIED", str(error)) from error

    def _assume(self) -> Any:
        role, session = self.build.data["serviceRole"], f"AWSCodeBuild-{self.build.id.partition(':')[2]}"
        return self.cloud.assume_for_service(role, SERVICE, session, source_arn=self.build.project["arn"])

    def _keys(self) -> Any:
        try:
            return self.grant.credentials(self.cloud.clock.now())
        except AwsError as error:
            role = self.build.data["serviceRole"]
            raise PhaseError(
                "CLIENT_ERROR",
                f"CodeBuild is not authorized to perform: sts:AssumeRole on service role {role}: {error.message}",
            ) from error

    def _client(self, service: str) -> Any:
        return self.cloud.client(service, self.build.account, self.build.region, credentials=self._keys())

    def _stopping(self) -> bool:
        return self.build.stop.is_set() or self.cloud.clock.stopped

    def _begin(self, phase: str) -> None:
        if self._stopping():
            raise StoppedError
        self.build.begin(phase, self.cloud.clock.now())
        if phase in {name.upper() for name in PHASES} | {"UPLOAD_ARTIFACTS"}:
            self.log.note(f"Entering phase {phase}")

    def _end(self, status: str = "SUCCEEDED", code: str = "", message: str = "") -> None:
        self.build.end(self.cloud.clock.now(), status, code, message)
        phase = self.build.data["phases"][-1]
        self.log.note(f"Phase complete: {phase['phaseType']} State: {status}")
        if code or message:
            self.log.note(f"Phase context status code: {code} Message: {message}")
        self.log.flush()
        self._event(status, phase)

    def _close(self, status: str, code: str, message: str) -> None:
        """Ends the open phase, if one is open, and the build with `status`."""
        self.status = status
        if self.build.data["phases"] and "phaseStatus" not in self.build.data["phases"][-1]:
            self._end(status, code, message)

    def _complete(self) -> None:
        credentials.withdraw(self.cloud, self.grant)
        if self.build.session:
            self.build.session.kill()
        now = self.cloud.clock.now()
        self.build.begin("FINALIZING", now)
        self.build.end(now)
        self.build.begin("COMPLETED", now)
        with self.build.lock:
            self.build.data |= {"endTime": now, "buildComplete": True, "buildStatus": self.status}
        self.log.flush()
        self.build.ended.set()
        self._event(self.status)

    def _event(self, status: str, phase: dict[str, Any] | None = None) -> None:
        data = self.build.data
        detail = {"project-name": data["projectName"], "build-id": data["arn"], "version": "1"}
        kind = "CodeBuild Build State Change"
        if phase is None:
            detail |= {"build-status": status, "current-phase": data["currentPhase"]}
        else:
            kind = "CodeBuild Build Phase Change"
            detail |= {"completed-phase": phase["phaseType"], "completed-phase-status": status}
        place = Place(self.build.account, self.build.region)
        self.cloud.put_event(place, Event("aws.codebuild", kind, detail, [data["arn"]]))


class _EndedError(Exception):
    """A failed phase ended the build; its context is already written."""
