"""Short words for JSON schemas."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
YES_NO: Schema = {"type": "boolean"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri"}
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}


def fixed(**properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {**at_least(**properties), "additionalProperties": False}


def at_least(**properties: Schema) -> Schema:
    """An object with these properties, and perhaps more."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def list_of(item: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": item}


def words(*allowed: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(allowed)}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def said(schema: Schema, description: str) -> Schema:
    """The same, with a word of explanation."""
    return {**schema, "description": description}


def component(name: str) -> Schema:
    """A reference to a schema of ours."""
    return {"$ref": f"#/components/schemas/{name}"}
