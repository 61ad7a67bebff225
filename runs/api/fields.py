"""Values as JSON has them: nothing is converted that was not meant so, and each says its schema."""

import math
import re
from datetime import datetime
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

MAX_SHOWN = 80

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_UNCONTROLLED = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)


class Documented(serializers.Field[Any, Any, Any, Any]):
    """A field that says its JSON schema; `schema` adds to that of its type.

    What stands there is for whoever reads it: whether a limit is kept is the use case's to say.
    """

    allowed = "a value"

    def __init__(self, *, schema: dict[str, Any] | None = None, **options: Any) -> None:
        self.said = schema or {}
        super().__init__(**options)

    @property
    def json_schema(self) -> dict[str, Any]:
        """The schema of what this field takes; drf-spectacular adds null where that is allowed."""
        return {**self.type_schema(), **self.said}

    def to_internal_value(self, data: Any) -> Any:
        """The value, or the sentence that stands beside the field in the answer."""
        try:
            return self.read(data)
        except (ValueError, OverflowError):
            shown = repr(data)
            shown = shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 1] + "…"
            raise serializers.ValidationError(
                f"{self.field_name} is {shown}: it must be {self.allowed}."
            ) from None

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value

    def type_schema(self) -> dict[str, Any]:
        """The schema of the type."""
        raise NotImplementedError

    def read(self, data: Any) -> Any:
        """The value; ValueError where it is none."""
        raise NotImplementedError


class WholeNumber(Documented):
    """An integer of JSON, which 12.0 is and true and "12" are not."""

    allowed = "a whole number"

    def type_schema(self) -> dict[str, Any]:
        """As JSON Schema has it."""
        return {"type": "integer"}

    def read(self, data: Any) -> int:
        """An int that 64 bits hold."""
        if isinstance(data, float) and data.is_integer() and abs(data) < 2**53:
            return int(data)
        if isinstance(data, int) and not isinstance(data, bool) and abs(data) < 2**63:
            return data
        raise ValueError(data)


class Number(Documented):
    """A finite number."""

    allowed = "a number"

    def type_schema(self) -> dict[str, Any]:
        """As JSON Schema has it."""
        return {"type": "number"}

    def read(self, data: Any) -> float:
        """A float."""
        if isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data):
            return float(data)
        raise ValueError(data)


class Text(Documented):
    """A string without control characters, no longer than `most`."""

    def __init__(self, *, most: int, **options: Any) -> None:
        self.most = most
        self.allowed = f"a text of at most {most} characters, none of them a control character"
        super().__init__(**options)

    def type_schema(self) -> dict[str, Any]:
        """With the length."""
        return {"type": "string", "maxLength": self.most, "pattern": _UNCONTROLLED}

    def read(self, data: Any) -> str:
        """The text as it is."""
        if isinstance(data, str) and len(data) <= self.most and re.fullmatch(_UNCONTROLLED, data):
            return data
        raise ValueError(data)


class OneOf(Documented):
    """One of some words."""

    def __init__(self, words: tuple[str, ...], **options: Any) -> None:
        self.words = words
        self.allowed = f"one of {', '.join(words)}"
        super().__init__(**options)

    def type_schema(self) -> dict[str, Any]:
        """With the words."""
        return {"type": "string", "enum": list(self.words)}

    def read(self, data: Any) -> str:
        """The word."""
        if isinstance(data, str) and data in self.words:
            return data
        raise ValueError(data)


class Matching(Documented):
    """A text of a given form."""

    def __init__(self, pattern: str, *, allowed: str, **options: Any) -> None:
        self.pattern = pattern
        self.allowed = allowed
        super().__init__(**options)

    def type_schema(self) -> dict[str, Any]:
        """With the form."""
        return {"type": "string", "pattern": f"^({self.pattern})$"}

    def read(self, data: Any) -> str:
        """The text."""
        if isinstance(data, str) and re.fullmatch(self.pattern, data, re.ASCII):
            return data
        raise ValueError(data)


class Instant(Documented):
    """An instant of RFC 3339; the + of an offset is %2B in a URL."""

    allowed = "an instant such as 2026-11-23T09:45:00Z"

    def type_schema(self) -> dict[str, Any]:
        """As JSON Schema has it."""
        return {"type": "string", "format": "date-time"}

    def read(self, data: Any) -> datetime:
        """The instant, with its offset."""
        if isinstance(data, str) and _RFC3339.fullmatch(data):
            return datetime.fromisoformat(data.upper())
        raise ValueError(data)


class JSONObject(Documented):
    """A JSON object, whatever it holds."""

    allowed = "an object"

    def type_schema(self) -> dict[str, Any]:
        """As JSON Schema has it."""
        return {"type": "object"}

    def read(self, data: Any) -> dict[str, Any]:
        """The object."""
        if isinstance(data, dict):
            return data
        raise ValueError(data)


class Texts(Documented):
    """A list of strings."""

    allowed = "a list of texts"

    def type_schema(self) -> dict[str, Any]:
        """As JSON Schema has it."""
        return {"type": "array", "items": {"type": "string"}}

    def read(self, data: Any) -> list[str]:
        """The list."""
        if isinstance(data, list) and all(isinstance(item, str) for item in data):
            return data
        raise ValueError(data)


class QueryNumber(Documented):
    """A number in a query, where everything is text; its limits are kept here."""

    def __init__(self, *, low: float, high: float, whole: bool = False, **options: Any) -> None:
        self.low, self.high, self.whole = low, high, whole
        self.allowed = f"{'a whole number' if whole else 'a number'} from {low:g} to {high:g}"
        super().__init__(**options)

    def type_schema(self) -> dict[str, Any]:
        """With the limits."""
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.low, "maximum": self.high}

    def read(self, data: Any) -> float:
        """A float, or an int where it must be whole."""
        if not (_WHOLE if self.whole else _DECIMAL).fullmatch(data):
            raise ValueError(data)
        value = int(data) if self.whole else float(data)
        if not self.low <= value <= self.high:
            raise ValueError(data)
        return value


class DocumentedFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular what our fields say of themselves."""

    target_class = "runs.api.fields.Documented"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """The field's own schema."""
        return dict(self.target.json_schema)
