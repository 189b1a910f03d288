"""What a validation finds wrong with a value, in words of yaml instead of Python's."""

from __future__ import annotations

from typing import Any

WORDS = {
    "bool_parsing": "give true or false",
    "bool_type": "give true or false",
    "dict_type": "give a mapping, for example {{name: value}}",
    "finite_number": "give a finite number",
    "float_parsing": "give a number",
    "float_type": "give a number",
    "greater_than": "give more than {gt:g}",
    "greater_than_equal": "give {ge:g} or more",
    "int_from_float": "give a whole number",
    "int_parsing": "give a whole number",
    "int_type": "give a whole number",
    "less_than": "give less than {lt:g}",
    "less_than_equal": "give {le:g} or less",
    "literal_error": "give {expected}",
    "model_type": "give a mapping, for example {{name: value}}",
    "string_type": "give text",
    "too_long": "give {max_length} or fewer",
    "too_short": "give at least {min_length}",
    "tuple_type": "give a list, for example [1, 2]",
}
"""By pydantic's types of errors; what is not here is told as pydantic tells it."""


def said(error: Any) -> str:
    """What is wrong, without where.

    Args:
        error: one of ``ValidationError.errors()``.
    """
    words = WORDS.get(error["type"])
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format(**error.get("ctx", {}))
