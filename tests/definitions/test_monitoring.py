"""The monitor's schedules and alarms as data. That AWS takes them, only the rehearsal's stand-in says."""

import pytest

from definitions.monitoring import hours_between, missing, on_the_hour


@pytest.mark.parametrize(
    ("schedule", "hours"), [("cron(15 * ? * * *)", 1), ("cron(0 3 ? * * *)", 24), ("cron(5 2/6 ? * * *)", 6)]
)
def test_how_often_a_schedule_runs(schedule: str, hours: int) -> None:
    assert hours_between(schedule) == hours


def test_model_monitor_begins_on_the_hour() -> None:
    assert on_the_hour("cron(15 2/6 ? * * *)") == "cron(0 2/6 ? * * *)"


@pytest.mark.parametrize(("schedule", "period"), [("cron(15 * ? * * *)", 3600), ("cron(15 4 ? * * *)", 86400)])
def test_one_series_decides_whether_analyses_are_missing(schedule: str, period: int) -> None:
    queries = missing("glidepath-prod", schedule)["metric_queries"]
    assert [query["id"] for query in queries if query["return_data"]] == ["watched"]
    assert {query["metric"]["period"] for query in queries if "metric" in query} == {period}
