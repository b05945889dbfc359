"""PlanProd: what a release would do to an environment, written down before anybody is asked to approve it."""

import pulumi

from components.project import EngineArgs, Project
from components.stage import Stage, title, variables
from definitions import buildspecs


class PlanArgs(EngineArgs):
    """Arguments of the plan."""

    env: str
    """Which environment."""
    deployed_in: str
    """Environment whose manifest is tested meanwhile: the plan is for that very manifest. Empty where there is none."""


class Plan(pulumi.ComponentResource):
    """The action and its project, which only reads.

    Exports `EVIDENCE` and what is approved: `SOURCE_SHA256`, `MANIFEST_SHA256` and `PLAN_SHA256`.
    """

    stage: Stage
    """Declaration for the pipeline."""

    def __init__(self, name: str, args: PlanArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("glidepath:plan:Plan", name, None, opts)
        names, env = args["at"].names, args["env"]
        # The stack's config names this profile; here it can only look.
        profile = buildspecs.profile(names.stack(env), names.role_arn(env, "preview"), names.region, f"plan-{env}")
        project = Project(
            name,
            {
                "delivery": args["delivery"],
                "at": args["at"],
                "purpose": f"plan-{env}",
                "key_arn": args["key_arn"],
                "buildspec": buildspecs.plan(env, profile, args["backend"], args["tools"]),
                "image": args["image"],
                "compute_type": args["compute_type"],
                "minutes": args["minutes"],
                "log_days": args["log_days"],
                "secrets": args["secrets"],
                "tools_address": args["tools_address"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        given = {"RELEASE_MANIFEST": names.manifest_of_run, "PLAN": names.plan_of_run(env)}
        if args["deployed_in"]:
            given["TESTED_SHA256"] = f"#{{Deploy{title(args['deployed_in'])}.MANIFEST_SHA256}}"
        configuration: dict[str, pulumi.Input[str]] = {
            "ProjectName": project.name,
            "EnvironmentVariables": variables(given),
        }
        self.stage = Stage(f"Plan{title(env)}", "Test", "CodeBuild", configuration)
        self.register_outputs({})
