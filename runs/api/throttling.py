"""How often one may ask: so many requests a minute for each user, fewer for each stranger.

The counts are in PostgreSQL: not in Redis, which launching does without, and not in a process, of
which there are several.
"""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from runs.models import RequestCount


class CallerThrottle(BaseThrottle):
    """Counts a request and refuses it beyond LOADLAB_API_RATE, or LOADLAB_API_ANONYMOUS_RATE."""

    _left_s: int | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether this request is within the rate."""
        if request.user.is_authenticated:
            most, caller = settings.LOADLAB_API_RATE, f"user:{request.user.pk}"
        else:
            most = settings.LOADLAB_API_ANONYMOUS_RATE
            caller = f"address:{self.get_ident(request)}"[:100]
        if most <= 0:
            return True
        count, self._left_s = RequestCount.objects.count_one(caller)
        return count <= int(most)

    def wait(self) -> float | None:
        """Seconds until one may ask again."""
        return self._left_s
