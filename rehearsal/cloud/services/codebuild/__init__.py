"""CodeBuild: projects as state, builds as real shells under the project's role."""

from rehearsal.cloud.services.codebuild import builds, credentials, projects

__all__ = ["builds", "credentials", "projects"]
