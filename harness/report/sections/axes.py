"""Searched parameters as axes: where on its domain each value lies, in the logarithm where the domain is."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

FORMS = ("uniform", "log_uniform", "int_uniform", "choice")
"""How a study file writes a domain."""


class Axis(NamedTuple):
    """One searched parameter.

    ``scale`` is ``linear``, ``log`` or ``choice``; ``low`` and ``high`` are its bounds, or the positions of the first
    and last choice; ``ticks`` are labels with their places between 0 and 1.
    """

    name: str
    scale: str
    low: float
    high: float
    choices: tuple[str, ...]

    def number(self, value: Any) -> float:
        """A value as a number: itself, or the position of a choice."""
        return float(self.choices.index(value_text(value))) if self.scale == "choice" else float(value)

    def place(self, value: Any) -> float:
        """Where a value lies on the axis, from 0 to 1."""
        number = self.number(value)
        if self.high == self.low:
            return 0.5
        if self.scale == "log":
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Labels with their places: every choice, or both bounds and the middle of an interval."""
        if self.scale == "choice":
            return [(self.place_of(index), choice) for index, choice in enumerate(self.choices)]
        middle = math.sqrt(self.low * self.high) if self.scale == "log" else (self.low + self.high) / 2
        return [(self.place(number), f"{number:.3g}") for number in (self.low, middle, self.high)]

    def place_of(self, index: int) -> float:
        """Where the choice at a position lies."""
        return 0.5 if self.high == self.low else (index - self.low) / (self.high - self.low)


def axis(name: str, domain: dict[str, Any] | None, seen: Sequence[Any]) -> Axis:
    """A parameter's axis from its domain, stretched to values outside it; from the values alone where none is known."""
    known = {form: values for form, values in (domain or {}).items() if form in FORMS and values is not None}
    if "choice" in known or not all(_is_number(value) for value in seen):
        choices = tuple(dict.fromkeys(value_text(value) for value in (*known.get("choice", ()), *seen)))
        return Axis(name, "choice", 0.0, float(len(choices) - 1), choices)
    numbers = [float(value) for value in (*(bound for bounds in known.values() for bound in bounds), *seen)]
    log = "log_uniform" in known and min(numbers) > 0
    return Axis(name, "log" if log else "linear", min(numbers), max(numbers), ())


def value_text(value: Any) -> str:
    """A searched value for people."""
    if value is None:
        return "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
