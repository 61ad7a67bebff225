"""Filters of the run list: the choices are fixed, so none is looked for in the table."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from runs.analysis.verdicts import Verdict
from runs.states import RunStatus
from workers.errors import TaskModuleError
from workers.settings import QUEUES
from workers.tasks.registry import task_types


class FixedFilter(SimpleListFilter):
    """One field, compared with one of a few words."""

    field: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The words."""
        return [(word, word.replace("_", " ")) for word in self.words()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Those that have the word; a word that is none of them finds nothing."""
        return queryset if self.value() is None else queryset.filter(**{self.field: self.value()})

    def words(self) -> Iterable[str]:
        """What may be chosen."""
        raise NotImplementedError


class StatusFilter(FixedFilter):
    """Where runs are in their lives."""

    title = "status"
    parameter_name = "status"
    field = "status"

    def words(self) -> Iterable[str]:
        """All there are."""
        return [status.value for status in RunStatus]


class VerdictFilter(FixedFilter):
    """How runs were judged."""

    title = "verdict"
    parameter_name = "verdict"
    field = "verdict"

    def words(self) -> Iterable[str]:
        """All there are."""
        return [verdict.value for verdict in Verdict]


class QueueFilter(FixedFilter):
    """Where runs were sent."""

    title = "queue"
    parameter_name = "queue"
    field = "target_queue"

    def words(self) -> Iterable[str]:
        """The queues that there are settings for."""
        return QUEUES


class TypeFilter(FixedFilter):
    """What runs sent."""

    title = "task type"
    parameter_name = "type"
    field = "configuration__task_type"

    def words(self) -> Iterable[str]:
        """The task types that are registered; none where a module of the user cannot be loaded."""
        try:
            return sorted(task_types())
        except TaskModuleError:
            return []


class GroupFilter(SimpleListFilter):
    """The runs of one `--repeat` group: reached by a link, not by a choice."""

    title = "group"
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The one that was asked for."""
        asked = request.GET.get(self.parameter_name)
        return [(asked, asked)] if asked else []

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Its runs."""
        return queryset.filter(group_id=self.value()) if self.value() else queryset


class ConfigurationFilter(SimpleListFilter):
    """The runs of one configuration: reached by a link."""

    title = "configuration"
    parameter_name = "configuration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The one that was asked for."""
        asked = request.GET.get(self.parameter_name, "")
        return [(asked, f"number {asked}")] if asked.isdecimal() else []

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Its runs."""
        asked = self.value()
        return queryset.filter(configuration=int(asked)) if asked else queryset
