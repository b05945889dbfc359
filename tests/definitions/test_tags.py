"""Whoever may tag a resource may take the tag away again, as the provider does when a tag leaves the config."""

import pytest

from definitions.roles.statements import Statement
from tests.definitions.test_roles import AT, DATA, ENVIRONMENT_ROLES

TAKES_AWAY = {
    "application-autoscaling:TagResource": "application-autoscaling:UntagResource",
    "cloudwatch:TagResource": "cloudwatch:UntagResource",
    "codedeploy:TagResource": "codedeploy:UntagResource",
    "events:TagResource": "events:UntagResource",
    "lambda:TagResource": "lambda:UntagResource",
    "logs:TagResource": "logs:UntagResource",
    "sagemaker:AddTags": "sagemaker:DeleteTags",
    "ssm:AddTagsToResource": "ssm:RemoveTagsFromResource",
}
"""Action that tags → action that takes tags away. API Gateway's verbs are left out: no tag binds `/tags/…`."""
NEW = ("NewTargetTags",)
"""Statements about what is being made: it has nothing to take away yet."""


@pytest.mark.parametrize("statement", ENVIRONMENT_ROLES["deployer"].statements(AT), ids=lambda found: found["Sid"])
def test_the_deployer_takes_away_what_it_may_put_on(statement: Statement) -> None:
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        if name in ("TagResource", "AddTags", "AddTagsToResource") and statement["Sid"] not in NEW:
            assert DATA.actions.action_exists(service, TAKES_AWAY[action].partition(":")[2])
            assert TAKES_AWAY[action] in statement["Action"]
