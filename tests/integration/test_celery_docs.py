"""docs/celery.md says what is so: its code runs, its query runs, its table is complete."""

import re
from pathlib import Path

import pytest
from django.db import connection

from runs import celery_view
from workers.celery import control, options
from workers.queues.serving import CELERY_VARIABLES

TEXT = (Path(__file__).parents[2] / "docs" / "celery.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def test_the_code_makes_a_class_that_arq_runs() -> None:
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(block("python"), "celery.md", "exec"), names)
    assert hasattr(names["WorkerSettings"], "after_job_end")


@pytest.mark.django_db
def test_the_query_runs() -> None:
    celery_view.create()
    with connection.cursor() as cursor:
        cursor.execute(block("sql"))
        assert cursor.fetchall() == []


def test_every_variable_is_in_the_table_and_no_other() -> None:
    ours = {
        value
        for value in vars(options).values()
        if isinstance(value, str) and value.startswith("LOADLAB_")
    }
    assert set(re.findall(r"^\| `(LOADLAB_CELERY_\w+)`", TEXT, re.MULTILINE)) == ours
    assert set(CELERY_VARIABLES) <= ours


def test_every_inspection_is_named() -> None:
    named = {word for line in re.findall(r"inspect ([a-z_ |]+)`", TEXT) for word in line.split()}
    assert named - {"|"} <= set(control.ANSWERS)


def test_pictures_are_there() -> None:
    folder = Path(__file__).parents[2] / "docs"
    pictures = re.findall(r"\]\((images/[^)]+)\)", TEXT)
    assert len(pictures) == 4
    for picture in pictures:
        assert (folder / picture).is_file()
