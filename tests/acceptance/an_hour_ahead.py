"""`manage.py` on a host whose clock is an hour ahead of everybody else's."""

import runpy
import sys
import time
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

AHEAD = timedelta(hours=1)
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"

if __name__ == "__main__":
    # why these: nothing else in the daemons asks what time it is (datetime itself is built in C)
    right = time.time, time.time_ns, timezone.now
    time.time = lambda: right[0]() + AHEAD.total_seconds()
    time.time_ns = lambda: right[1]() + int(AHEAD.total_seconds() * 1e9)
    timezone.now = lambda: right[2]() + AHEAD
    sys.argv[0] = str(MANAGE)
    sys.path.insert(0, str(MANAGE.parent))
    runpy.run_path(str(MANAGE), run_name="__main__")
