"""CodePipeline: declarations as AWS checks them, executions that really run their actions."""

from rehearsal.cloud.services.codepipeline import executions, pipelines, views

__all__ = ["executions", "pipelines", "views"]
