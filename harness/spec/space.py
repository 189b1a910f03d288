"""A method's search space: which of its numbers are searched under which choices, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from harness.errors import HarnessError, near_miss
from harness.spec.domain import Domain, Value, product
from harness.spec.method import MethodSpec, RecipeSpec

MAX_GRID = 100_000
"""More combinations than anyone trains."""


def ordered(search: Mapping[str, Domain]) -> list[str]:
    """The searched paths, each after those that its ``when`` names; else as written.

    Raises:
        HarnessError: if conditions go round in a circle.
    """
    done: list[str] = []
    waiting = list(search)
    while waiting:
        ready = [path for path in waiting if all(name in done or name not in search for name in search[path].when)]
        if not ready:
            raise HarnessError(f"the conditions of {', '.join(waiting)} go round in a circle.")
        done.append(ready[0])
        waiting.remove(ready[0])
    return done


def is_active(recipe: RecipeSpec, search: Mapping[str, Domain], path: str, values: Mapping[str, Any]) -> bool:
    """Whether a path is searched, given the values chosen so far and the recipe as written."""
    for name, wanted in search[path].when.items():
        if name in search and name not in values:
            return False
        seen = values[name] if name in values else recipe.value_at(name)
        if not Domain(choice=wanted).contains(seen):
            return False
    return True


def sized_differently(search: Mapping[str, Domain]) -> list[dict[str, Value]]:
    """Configurations that together need as much memory as any: the written one, and each change of one path that may.

    Those are named choices, such as SAM's variants, and the ends of whatever a network is built from.
    """
    changed: list[dict[str, Value]] = [{}]
    for path, domain in search.items():
        if path.startswith("model."):
            values = domain.choice or domain.bounds or ()
        else:
            values = tuple(one for one in domain.choice or () if one is None or isinstance(one, bool | str))
        changed += [{path: value} for value in values]
    return changed


def written_values(recipe: RecipeSpec, search: Mapping[str, Domain]) -> dict[str, Any]:
    """The values that a recipe itself gives to the searched paths: configuration 0.

    Raises:
        HarnessError: if a path that is searched under these values is not written in the recipe.
    """
    values: dict[str, Any] = {}
    for path in ordered(search):
        try:
            if is_active(recipe, search, path, values):
                values[path] = recipe.value_at(path)
        except KeyError as error:
            missing, known = error.args
            raise HarnessError(
                f"search path '{path}' is not written in the recipe, so configuration 0 would not be the method as "
                f"published. Write '{missing}' there. {near_miss(missing, known)}"
            ) from None
    return {path: values[path] for path in search if path in values}


def point_values(method: MethodSpec, point: Mapping[str, Any]) -> dict[str, Any]:
    """A point of the user's with what it leaves out as written, or at its domain's first value where nothing is."""
    values: dict[str, Any] = {}
    written = written_values(method.recipe, method.search)
    for path in ordered(method.search):
        if is_active(method.recipe, method.search, path, values):
            values[path] = point[path] if path in point else written.get(path, method.search[path].at(0.0))
    return {path: values[path] for path in method.search if path in values}


def grid(method: MethodSpec) -> list[dict[str, Any]]:
    """Every combination of the searched values, each once; the last path varies fastest.

    Raises:
        HarnessError: if a domain has no finite list of values, or there are more than 100,000 combinations.
    """
    grids = {path: domain.grid for path, domain in method.search.items()}
    endless = [path for path, values in grids.items() if values is None]
    if endless:
        raise HarnessError(f"sampler grid needs a list of values: give '{endless[0]}' steps, or a choice.")
    size = 1
    for values in grids.values():
        size *= len(values or ())
    if size > MAX_GRID:
        raise HarnessError(f"the grid has {size:,} combinations; at most {MAX_GRID:,} are allowed.")
    paths = ordered(method.search)
    found: dict[str, dict[str, Any]] = {}
    for combination in product({path: grids[path] or () for path in method.search}):
        kept: dict[str, Any] = {}
        for path in paths:
            if is_active(method.recipe, method.search, path, kept):
                kept[path] = combination[path]
        found.setdefault(repr(sorted(kept.items())), {path: kept[path] for path in method.search if path in kept})
    return list(found.values())


def first_configurations(method: MethodSpec, with_grid: bool) -> list[dict[str, Any]]:
    """What is tried before any sampler is asked, each once: as written, the points, and the grid if there is one."""
    wanted = [written_values(method.recipe, method.search)]
    wanted += [point_values(method, point) for point in method.points]
    wanted += grid(method) if with_grid else []
    found: dict[str, dict[str, Any]] = {}
    for values in wanted:
        found.setdefault(repr(sorted(values.items())), values)
    return list(found.values())


def most_passes(method: MethodSpec) -> float:
    """Passes of a step in the most expensive configuration that the search may ask."""
    optimizers = [method.recipe.optimizer]
    domain = method.search.get("optimizer.sam")
    if domain is not None:
        written = method.recipe
        optimizers += [written.with_values({"optimizer.sam": value}).optimizer for value in domain.choice or ()]
    return max(one.passes_per_step for one in optimizers)


def space_problems(method: MethodSpec, sampler: str | None = None) -> Iterator[str]:
    """What is wrong with a method's search, in sentences that begin with the key."""
    broken = [*_condition_problems(method)]
    yield from broken
    if broken:
        return
    for path, domain in method.search.items():
        yield from _domain_problems(method, path, domain)
    yield from _point_problems(method)
    if sampler == "grid" and method.search:
        try:
            grid(method)
        except HarnessError as error:
            yield f"search: {error}"
    elif sampler is not None:
        stepped = [path for path, domain in method.search.items() if domain.steps]
        yield from (f"search.{path}: steps is for sampler grid, and the sampler is {sampler}" for path in stepped)


def _condition_problems(method: MethodSpec) -> Iterator[str]:
    """Conditions on paths or values that there are not."""
    for path, domain in method.search.items():
        parent = path.rpartition(".")[0]
        above = method.search.get(parent)
        if above is not None and above.choice and None in above.choice and parent not in domain.when:
            names = [value for value in above.choice if value is not None]
            yield f"search.{path}: {parent} may be null; say when: {{{parent}: [{', '.join(map(str, names))}]}}"
        elif path.startswith("optimizer.sam.") and method.optimizer.sam is None and above is None:
            yield f"search.{path}: it is searched, but optimizer.sam is not given"
        for name, wanted in domain.when.items():
            yield from (f"search.{path}.when.{name}: {problem}" for problem in _wanted_problems(method, name, wanted))
    try:
        ordered(method.search)
    except HarnessError as error:
        yield f"search: {error}"


def _wanted_problems(method: MethodSpec, name: str, wanted: tuple[Any, ...]) -> Iterator[str]:
    """What is wrong with one condition: an unknown path, values that are never chosen."""
    above = method.search.get(name)
    if above is not None and above.choice is None:
        yield "only a path with a choice can be a condition"
    elif above is not None:
        never = [value for value in wanted if not above.contains(value)]
        known = [_shown(value) for value in above.choice or ()]
        yield from (f"{value!r} is not in its choice. {near_miss(str(value), known)}" for value in never)
    else:
        try:
            written = method.recipe.value_at(name)
        except KeyError:
            yield f"no such path is searched or written. {near_miss(name, method.search)}"
            return
        if not Domain(choice=wanted).contains(written):
            yield f"never true: {written!r} is written there, and it is not searched"


def _shown(value: Any) -> str:
    """A value as yaml would say it."""
    return "null" if value is None else str(value)


def _domain_problems(method: MethodSpec, path: str, domain: Domain) -> Iterator[str]:
    """A written value outside its domain, or a domain that reaches where a recipe cannot be."""
    try:
        written = written_values(method.recipe, method.search)
        if path in written and not domain.contains(written[path]):
            yield f"search.{path}: the written value {written[path]!r} lies outside the domain"
    except HarnessError as error:
        if f"'{path}'" in str(error):
            yield f"search: {error}"
        return
    for value in domain.choice or domain.bounds or ():
        conditions = {name: wanted[0] for name, wanted in domain.when.items() if name in method.search}
        try:
            method.recipe.with_values({**conditions, path: value})
        except ValidationError as error:
            yield f"search.{path}: {value!r} cannot be: {error.errors()[0]['msg'].removeprefix('Value error, ')}"


def _point_problems(method: MethodSpec) -> Iterator[str]:
    for index, point in enumerate(method.points):
        unknown = [path for path in point if path not in method.search]
        if unknown:
            yield f"points[{index}]: '{unknown[0]}' is not searched. {near_miss(unknown[0], method.search)}"
            continue
        try:
            values = point_values(method, point)
        except HarnessError:
            return
        idle = [path for path in point if path not in values]
        yield from (f"points[{index}].{path}: it is not searched under the other values given" for path in idle)
        for path, value in values.items():
            if not method.search[path].contains(value):
                yield f"points[{index}].{path}: {value!r} lies outside the domain"
