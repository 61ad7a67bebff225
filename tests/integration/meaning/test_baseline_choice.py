"""`--baseline`: what may be asked for, what is refused before anything is sent, what files do."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from stored_runs import Story, described, judged

from runs.cli.exits import refusal
from runs.errors import InvalidSpec
from runs.models import LoadTestRun
from runs.report import group_document
from runs.report_files import baseline_of
from runs.spec import Spec, validate
from runs.states import RunStatus

pytestmark = pytest.mark.django_db

WOBBLES = (1.0, 1.0004, 0.9997, 1.0006, 0.9995)


def group(name: str = "lg_a", **changes: Any) -> list[LoadTestRun]:
    story = Story(tasks=200, run={"group_id": name})
    return [judged(story, slower=wobble, **changes) for wobble in WOBBLES]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """The report of a group, as a pipeline keeps it."""
    group()
    path = tmp_path / "main.json"
    path.write_text(json.dumps(group_document("lg_a")))
    return str(path)


def refused(**asked: Any) -> str:
    with pytest.raises(InvalidSpec) as told:
        validate(Spec(**asked))
    assert set(told.value.fields) == {"baseline"}
    return told.value.fields["baseline"]


class TestValidate:
    @pytest.mark.parametrize("choice", ["auto", "none"])
    def test_words_are_taken(self, choice: str) -> None:
        assert validate(Spec(baseline=choice)).baseline == choice

    def test_ids_are_taken_where_they_name_a_completed_run(self) -> None:
        run = group()[0]
        for choice in (run.test_id, "lg_a"):
            assert validate(Spec(baseline=choice)).baseline == choice

    @pytest.mark.parametrize("choice", ["lt_nobody", "lg_nobody"])
    def test_ids_of_nobody_are_refused(self, choice: str) -> None:
        assert "there is no such run" in refused(baseline=choice)

    def test_ids_of_runs_that_have_not_completed_are_refused(self) -> None:
        run = judged(sent=60, status=RunStatus.TIMED_OUT)
        assert "is timed out: only a completed run" in refused(baseline=run.test_id)

    @pytest.mark.parametrize(
        "choice", ["", "yesterday", "a.json", "/etc/passwd", "a\nb", "x" * 301]
    )
    def test_anything_else_is_refused_with_what_is_allowed(self, choice: str) -> None:
        assert "it must be" in refused(baseline=choice)

    def test_documents_are_read_before_anything_is_sent(self, file: str) -> None:
        documents = baseline_of(file)
        assert validate(Spec(baseline=file, baseline_document=documents))
        old = {**documents[0], "schema": 0}
        assert "schema 0" in refused(baseline=file, baseline_document=(old,))
        early = {**documents[0], "status": "cancelled"}
        assert "only a completed run" in refused(baseline=file, baseline_document=(early,))
        assert "is empty" in refused(baseline=file, baseline_document=())


class TestCommand:
    def refused(self, choice: str) -> CommandError:
        with pytest.raises(Exception) as told:  # noqa: PT011  # which error it is, is not the point
            call_command("load_test", "run", "--no-wait", "--baseline", choice)
        said = refusal(told.value)
        assert said is not None, told.value
        return said

    def test_a_file_is_kept_with_the_run_but_not_all_of_it(self, file: str, redis_url: str) -> None:
        out = StringIO()
        arguments = ("--no-wait", "--type", "sleep", "--tasks", "200", "--baseline", file)
        call_command("load_test", "run", *arguments, stdout=out, stderr=StringIO())
        run = LoadTestRun.objects.named(out.getvalue().strip())
        assert run.baseline_choice == file
        assert len(run.baseline_document) == 5
        assert len(json.dumps(run.baseline_document)) < 10_000

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (None, "cannot be read: No such file"),
            ("nothing", "is no JSON"),
            ('{"schema": 2, "metrics": {}}', "schema 2"),
            ('{"schema": 1, "metrics": {}, "status": "pending"}', "is still pending"),
            ('{"schema": 1, "metrics": {}, "status": "failed"}', "only a completed run"),
        ],
    )
    def test_a_file_that_is_none_is_refused_in_one_sentence(
        self, tmp_path: Path, content: str | None, says: str, redis_url: str
    ) -> None:
        path = tmp_path / "odd.json"
        if content is not None:
            path.write_text(content)
        told = self.refused(str(path))
        assert told.returncode == 2
        assert says in str(told)
        assert "\n" not in str(told)
        assert not LoadTestRun.objects.exists()
        with redis.Redis.from_url(redis_url) as valkey:
            assert valkey.keys() == []

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        assert "Is a directory" in str(self.refused(str(tmp_path)))

    def test_the_option_is_named_where_an_id_is_wrong(self) -> None:
        told = self.refused("lt_nobody")
        assert told.returncode == 2
        assert str(told).startswith("--baseline is 'lt_nobody': there is no such run")


class TestJudgedByAFile:
    def judged_by(self, file: str, **changes: Any) -> LoadTestRun:
        asked = {"baseline_choice": file, "baseline_document": baseline_of(file)}
        return judged(Story(tasks=200, run=asked), **changes)

    @pytest.mark.parametrize(
        ("slower", "verdict"), [(1.0, "unchanged"), (1.2, "regressed"), (0.8, "improved")]
    )
    def test_the_runs_in_it_are_the_baseline(self, file: str, slower: float, verdict: str) -> None:
        LoadTestRun.objects.all().delete()  # as in a pipeline whose database is empty
        run = self.judged_by(file, slower=slower)
        section = run.report["analysis"]["baseline"]
        assert (section["kind"], section["n"], section["verdict"]) == ("file", 5, verdict)
        assert "the 5 runs in the file" in run.headline

    def test_what_differs_is_listed(self, file: str) -> None:
        run = self.judged_by(file, fleet=[described(settings={"max_jobs": 20})])
        changed = run.report["analysis"]["baseline"]["changed"]
        assert {"field": "slots", "from": 10, "to": 20} in changed

    def test_another_workload_is_incomparable(self, file: str) -> None:
        run = self.judged_by(file, workload={"seed": 9})
        assert run.verdict == "incomparable"
        assert "seed 0 → 9" in run.report["analysis"]["baseline"]["because"]

    def test_one_run_in_it_cannot_tell(self, tmp_path: Path) -> None:
        path = tmp_path / "one.json"
        path.write_text(json.dumps(judged(tasks=200).report))
        LoadTestRun.objects.all().delete()
        run = self.judged_by(str(path), slower=1.2)
        assert run.verdict == "inconclusive"
        assert "one run against one" in run.report["analysis"]["baseline"]["because"]
