"""Lists that cost the same wherever one is in them: no OFFSET, and no count over everything."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

from runs.admin.seen import SeenAdmin

AFTER = "after"
MOST_COUNTED = 1_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than a thousand and one."""

    @cached_property
    def count(self) -> int:
        """How many there are, or one more than is counted."""
        rows: Any = self.object_list
        return int(rows.order_by()[: MOST_COUNTED + 1].count())


class KeysetChangeList(ChangeList):
    """A change list whose next page begins behind the last row of this one.

    The admin says with `page_behind` what comes after a row, and with `place_of` where a row is.
    """

    model_admin: Any
    after: str | None
    next_place: str | None

    def get_filters_params(self, params: Any = None) -> Any:
        """All parameters that filter; where the page begins is none of them."""
        found = super().get_filters_params(params)
        found.pop(AFTER, None)
        return found

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Links lead to a first page, but for the one that names the place of the next."""
        removed = [*(remove or ()), AFTER]
        return super().get_query_string(new_params, removed)

    def get_results(self, request: HttpRequest) -> None:
        """One page, and whether there is another."""
        self.after = request.GET.get(AFTER) or None
        shown: Any = self.queryset
        if self.after is not None:
            shown = self.model_admin.page_behind(request, shown, self.after)
        found = list(shown[: self.list_per_page + 1])
        more = len(found) > self.list_per_page
        self.result_list = found[: self.list_per_page]
        self.next_place = self.model_admin.place_of(request, self.result_list[-1]) if more else None
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        # why of this page alone: where it is all there is, Django offers no "select all of them"
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = False
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = False
        self.multi_page = False

    @property
    def count_in_words(self) -> str:
        """37, or: more than 1000."""
        found = self.paginator.count
        return f"more than {MOST_COUNTED}" if found > MOST_COUNTED else str(found)

    @property
    def next_page(self) -> str:
        """The address of the next page."""
        return self.get_query_string({AFTER: self.next_place}) if self.next_place else ""

    @property
    def first_page(self) -> str:
        """The address of the first page; empty on it."""
        return self.get_query_string() if self.after else ""


class ListedAdmin(SeenAdmin):
    """Lists of rows that are never counted, faceted or sorted; the newest first, by its number."""

    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """Pages without OFFSET."""
        return KeysetChangeList

    def page_behind(self, request: HttpRequest, queryset: Any, place: str) -> Any:
        """Those older than one."""
        return queryset.filter(pk__lt=int(place)) if place.isdecimal() else queryset.none()

    def place_of(self, request: HttpRequest, row: Any) -> str:
        """Where the page behind a row begins."""
        return str(row.pk)
