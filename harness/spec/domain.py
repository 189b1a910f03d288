"""The values that one searched number may take, and under which choices it is searched at all."""

from __future__ import annotations

import itertools
import math
from typing import Any

from pydantic import Field, model_validator

from harness.spec.strict import Strict

Value = bool | int | float | str | None


class Domain(Strict):
    """The values that one searched number may take; exactly one of the first four forms is given."""

    uniform: tuple[float, float] | None = None
    """Lower and upper bound of a number."""
    log_uniform: tuple[float, float] | None = None
    """The same, spread evenly in the logarithm."""
    int_uniform: tuple[int, int] | None = None
    """Lower and upper bound of a whole number, both included."""
    choice: tuple[Value, ...] | None = None
    """The values themselves."""
    steps: int | None = Field(default=None, ge=2)
    """For sampler ``grid``: so many values of ``uniform`` or ``log_uniform``, both bounds included."""
    when: dict[str, tuple[Value, ...]] = Field(default_factory=dict)
    """What must have been chosen for this number to be searched, for example ``{optimizer.sam: [sam, asam]}``; where
    it is not, the recipe is left as written."""

    @model_validator(mode="before")
    @classmethod
    def _one_value_needs_no_list(cls, data: Any) -> Any:
        """``when: {optimizer.sam: sam}`` means ``[sam]``."""
        if not isinstance(data, dict) or not isinstance(data.get("when"), dict):
            return data
        when = {path: wanted if isinstance(wanted, list | tuple) else [wanted] for path, wanted in data["when"].items()}
        return {**data, "when": when}

    @model_validator(mode="after")
    def _one_form(self) -> Domain:
        forms = (self.uniform, self.log_uniform, self.int_uniform, self.choice)
        if sum(form is not None for form in forms) != 1:
            raise ValueError("give exactly one of uniform, log_uniform, int_uniform, choice")
        bounds = self.bounds
        if bounds and not bounds[0] < bounds[1]:
            raise ValueError(f"the lower bound {bounds[0]} must be below the upper bound {bounds[1]}")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise ValueError("log_uniform needs a lower bound above 0")
        if self.choice is not None and not self.choice:
            raise ValueError("choice needs at least one value")
        if self.choice is not None and len(set(map(repr, self.choice))) != len(self.choice):
            raise ValueError("choice gives a value twice")
        if self.steps and not (self.uniform or self.log_uniform):
            raise ValueError("steps belongs to uniform or log_uniform")
        return self

    @property
    def bounds(self) -> tuple[int | float, int | float] | None:
        """The lower and upper bound; ``None`` for a choice."""
        return self.uniform or self.log_uniform or self.int_uniform

    def contains(self, value: Any) -> bool:
        """Whether a value lies in the domain."""
        if self.choice is not None:
            return any(type(value) is type(one) and value == one for one in self.choice) or (
                _is_number(value) and value in [one for one in self.choice if _is_number(one)]
            )
        low, high = self.bounds or (0, 0)
        whole = self.int_uniform is None or value == round(value) if _is_number(value) else False
        return _is_number(value) and whole and low <= value <= high

    def at(self, share: float) -> Value:
        """The value at a share (0 to 1) of the domain: evenly spread over it, in the logarithm for ``log_uniform``."""
        if self.choice is not None:
            return self.choice[min(int(share * len(self.choice)), len(self.choice) - 1)]
        if self.int_uniform is not None:
            low, high = self.int_uniform
            return min(low + int(share * (high - low + 1)), high)
        if self.log_uniform is not None:
            lower, upper = self.log_uniform
            return min(max(lower * math.exp(share * math.log(upper / lower)), lower), upper)
        lower, upper = self.uniform or (0.0, 0.0)
        return lower + share * (upper - lower)

    @property
    def grid(self) -> tuple[Value, ...] | None:
        """Every value that a grid tries, to 12 digits; ``None`` for an interval without ``steps``."""
        if self.choice is not None:
            return self.choice
        if self.int_uniform is not None:
            return tuple(range(self.int_uniform[0], self.int_uniform[1] + 1))
        if self.steps is None or self.bounds is None:
            return None
        inner = (self.at(step / (self.steps - 1)) for step in range(1, self.steps - 1))
        return (self.bounds[0], *(float(f"{value:.12g}") for value in inner), self.bounds[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def product(grids: dict[str, tuple[Value, ...]]) -> list[dict[str, Value]]:
    """Every combination; the last path varies fastest."""
    return [dict(zip(grids, values, strict=True)) for values in itertools.product(*grids.values())]
