"""What a body may be: JSON of bounded length, without what JSON or PostgreSQL cannot hold."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from runs.api.errors import BodyTooLarge, MalformedBody


class BoundedJSONParser(BaseParser):
    """Reads at most LOADLAB_API_MAX_BODY bytes."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value of the body; MalformedBody or BodyTooLarge where there is none."""
        most = int(settings.LOADLAB_API_MAX_BODY)
        body = stream.read(most + 1)
        if len(body) > most:
            raise BodyTooLarge(f"The body is longer than {most} bytes (LOADLAB_API_MAX_BODY).")
        return parsed(body)


def parsed(body: bytes) -> Any:
    """The JSON value; every reason for which there is none is one sentence."""
    try:
        value = json.loads(
            body.decode(), parse_constant=_refuse_constant, object_pairs_hook=_without_twins
        )
        # a lone surrogate is no text: it can be neither stored nor answered
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise MalformedBody("The body is nested too deeply.") from None
    except UnicodeEncodeError:
        raise MalformedBody("The body holds half of a surrogate pair, which is no text.") from None
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    except ValueError as error:
        raise MalformedBody(f"The body is not JSON: {error}.") from None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twin[:80]!r} is given twice")
    return found
