"""A user's own arq application, as the tests' workers run it: Django is nowhere in it."""

import asyncio
import os
from typing import Any, ClassVar

from arq import Retry, func
from arq.connections import RedisSettings

from loadlab import celery_compatible


async def add(ctx: dict[Any, Any], x: int, *, y: int) -> int:
    return x + y


async def fail(ctx: dict[Any, Any], *, message: str = "boom") -> None:
    raise ValueError(message)


async def again(ctx: dict[Any, Any]) -> str:
    if ctx["job_try"] == 1:
        raise Retry(defer=0.05)
    return "second time"


async def sleep(ctx: dict[Any, Any], *, s: float = 60.0) -> str:
    await asyncio.sleep(s)
    return "slept"


async def secret(ctx: dict[Any, Any], *, password: str, headers: dict[str, str]) -> dict[str, str]:
    return {"token": "t0psecret", "shown": "plain"}


async def unencodable(ctx: dict[Any, Any]) -> object:
    return lambda: None


async def nasty(ctx: dict[Any, Any], *, text: str = "") -> dict[str, object]:
    return {"surrogate": "\ud800", "nan": float("nan"), "deep": [[[[[[[[[[text]]]]]]]]]]}


@celery_compatible
class WorkerSettings:
    functions: ClassVar[list[Any]] = [
        add,
        fail,
        func(again, max_tries=3),
        sleep,
        secret,
        unencodable,
        nasty,
        func(sleep, name="hurried", timeout=0.2),
        func(add, name="unkept", keep_result=0),
        func(fail, name="fail_unkept", keep_result=0),
    ]
    redis_settings = RedisSettings.from_dsn(os.environ["BROKER_URL"])
    poll_delay = 0.1
