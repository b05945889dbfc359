"""Whoever may tag a resource may take the tag away again, as the provider does when a tag leaves the config."""

import pytest

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
"""Action that tags → action that takes tags away. API Gateway has verbs for both."""


@pytest.mark.parametrize("statement", ENVIRONMENT_ROLES["deployer"].statements(AT), ids=lambda found: found["Sid"])
def test_the_deployer_takes_away_what_it_may_put_on(statement: dict[str, list[str]]) -> None:
    for action in statement["Action"]:
        service, _, name = action.partition(":")
        if name in ("TagResource", "AddTags", "AddTagsToResource"):
            assert DATA.actions.action_exists(service, TAKES_AWAY[action].partition(":")[2])
            assert TAKES_AWAY[action] in statement["Action"]
