"""DeployDev, DeployProd: `pulumi up` of an environment from the pipeline, as that environment's deployer."""

import pulumi

from components.project import EngineArgs, Project
from components.stage import Stage, title, variables
from definitions import buildspecs


class DeployArgs(EngineArgs):
    """Arguments of the deployment."""

    env: str
    """Which environment."""
    approved: bool
    """Whether a plan was approved: only its source deploys, and only its manifest, by that plan."""


class Deploy(pulumi.ComponentResource):
    """The stage and its project. Exports `API_URL`, `ENDPOINT`, `RELEASE`, `MANIFEST_SHA256` and `SUMMARY`."""

    stage: Stage
    """Declaration for the pipeline."""

    def __init__(self, name: str, args: DeployArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:deploy:Deploy", name, None, opts)
        names, env = args["at"].names, args["env"]
        # The stack's config names this profile; here, and only here, it is the deployer.
        profile = buildspecs.profile(names.stack(env), names.role_arn(env, "deployer"), names.region, f"deploy-{env}")
        project = Project(
            name,
            {
                "delivery": args["delivery"],
                "at": args["at"],
                "purpose": f"deploy-{env}",
                "key_arn": args["key_arn"],
                "buildspec": buildspecs.deploy(env, profile, args["backend"], args["tools"], args["approved"]),
                "image": args["image"],
                "compute_type": args["compute_type"],
                "minutes": args["minutes"],
                "log_days": args["log_days"],
                "secrets": args["secrets"],
                "tools_address": args["tools_address"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        given = {"RELEASE_MANIFEST": names.manifest_of_run}
        if args["approved"]:
            planned = f"Plan{title(env)}"
            given["APPROVED_SOURCE_SHA256"] = f"#{{{planned}.SOURCE_SHA256}}"
            given["APPROVED_SHA256"] = f"#{{{planned}.MANIFEST_SHA256}}"
            given["APPROVED_PLAN"] = names.plan_of_run(env)
            given["APPROVED_PLAN_SHA256"] = f"#{{{planned}.PLAN_SHA256}}"
        configuration: dict[str, pulumi.Input[str]] = {
            "ProjectName": project.name,
            "EnvironmentVariables": variables(given),
        }
        self.stage = Stage(f"Deploy{title(env)}", "Build", "CodeBuild", configuration)
        self.register_outputs({})
