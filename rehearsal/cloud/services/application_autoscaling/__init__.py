"""Application Auto Scaling of endpoint variants: targets and policies, kept by moto, act on the scaled clock."""

from rehearsal.cloud.services.application_autoscaling import authorization, scaling, tags, targets

__all__ = ["authorization", "scaling", "tags", "targets"]
