"""How the two daemons are run in the foreground: logs on stderr, one line a state change."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from django.conf import settings


def run_daemon(serve: Callable[[], Awaitable[None]]) -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.getLogger("loadlab").setLevel(settings.LOADLAB_LOG_LEVEL)

    async def main() -> None:
        await serve()

    asyncio.run(main())
