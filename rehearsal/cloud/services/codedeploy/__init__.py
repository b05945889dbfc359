"""CodeDeploy for Lambda: deployments that really shift an alias, call hooks and watch alarms."""

from rehearsal.cloud.services.codedeploy import applications, configs, deployments

__all__ = ["applications", "configs", "deployments"]
