"""TestDev: the system test asks the environment's real API."""

import pulumi

from components.project import CodeBuildArgs, Project
from components.stage import Stage, title, variables
from definitions import buildspecs


class SystemTestArgs(CodeBuildArgs):
    """Arguments of the test."""

    env: str
    """Which environment."""
    command: str
    """The user's own tests; may be empty."""


class SystemTest(pulumi.ComponentResource):
    """The stage and its project, which works as the environment's tester."""

    stage: Stage
    """Declaration for the pipeline."""

    def __init__(self, name: str, args: SystemTestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:test:SystemTest", name, None, opts)
        names, env = args["at"].names, args["env"]
        profile = buildspecs.profile("tester", names.role_arn(env, "tester"), names.region, f"{names.name}-test")
        project = Project(
            name,
            {
                "delivery": args["delivery"],
                "at": args["at"],
                "purpose": f"test-{env}",
                "key_arn": args["key_arn"],
                "buildspec": buildspecs.system_test(env, "tester", profile, args["command"]),
                "image": args["image"],
                "compute_type": args["compute_type"],
                "minutes": args["minutes"],
                "log_days": args["log_days"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        deployed = f"Deploy{title(env)}"
        given = {
            "API_URL": f"#{{{deployed}.API_URL}}",
            "RELEASE": names.manifest_of_run,
            "MANIFEST_SHA256": f"#{{{deployed}.MANIFEST_SHA256}}",
            "ENDPOINT_NAME": f"#{{{deployed}.ENDPOINT}}",
            "CAPTURE_BUCKET": names.capture_bucket(env),
            "CAPTURE_PREFIX": "capture",
        }
        configuration: dict[str, pulumi.Input[str]] = {
            "ProjectName": project.name,
            "EnvironmentVariables": variables(given),
        }
        self.stage = Stage(f"Test{title(env)}", "Test", "CodeBuild", configuration)
        self.register_outputs({})
