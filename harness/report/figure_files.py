"""The figures of a report as SVG files, which need no page around them."""

import re
from html import unescape
from pathlib import Path

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.page import asset
from harness.tables.store import write_text

NAME_CHARACTERS = 60
"""Of a file's name that is made of a figure's description."""

OWN_RULES = (".map", ".parallel")
"""Figures whose marks are styled by rules of the page."""


def write_figures(run: RunPaths, folder: Path) -> list[Path]:
    """Every figure of the report as it was made, in the colours of its light form.

    Raises:
        HarnessError: if there is no report.
    """
    report = run.output("report.html")
    if not report.exists():
        raise HarnessError(f"There is no {report}, whose figures were asked for. Make it with: dferbench report")
    colors = _variables()
    paths: list[Path] = []
    for drawing in re.findall(r"<svg .*?</svg>", report.read_text(encoding="utf-8"), flags=re.DOTALL):
        path = _unused(folder, _name(drawing), paths)
        write_text(_standalone(drawing, colors), path)
        paths.append(path)
    return paths


def _variables() -> dict[str, str]:
    """The page's colours by light and its font, by the names of their variables."""
    light = re.search(r":root \{(.*?)\}", asset("page.css"), flags=re.DOTALL)
    if light is None:
        raise ValueError("page.css defines no variables")
    return {name: value.strip() for name, value in re.findall(r"(--[\w-]+):([^;]*);", light[1])}


def _standalone(drawing: str, variables: dict[str, str]) -> str:
    """A drawing of the page with its size, its name space, its rules, and colours instead of variables."""
    head, rest = drawing.split(">", 1)
    box = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', head)
    if box is None:
        raise ValueError("a figure has no viewBox")
    space = "" if "xmlns=" in head else ' xmlns="http://www.w3.org/2000/svg"'
    links = "" if "xmlns:xlink=" in head else ' xmlns:xlink="http://www.w3.org/1999/xlink"'
    sized = f'{head}{space}{links} width="{box[1]}" height="{box[2]}">'
    return _filled_in(f"{sized}{_rules(head)}{rest}\n", variables)


def _rules(head: str) -> str:
    """The rules of the page that style a drawing, if any."""
    own = next((one for one in OWN_RULES if f'class="{one[1:]}"' in head), None)
    if own is None:
        return ""
    lines = [line for line in asset("figures.css").splitlines() if line.startswith((f"{own} ", f"{own}{{"))]
    return f"<style>{' '.join(lines)}</style>"


def _filled_in(text: str, variables: dict[str, str]) -> str:
    font = variables["--font"].replace('"', "'")
    return re.sub(r"var\((--[\w-]+)\)", lambda found: (variables | {"--font": font}).get(found[1], found[0]), text)


def _name(drawing: str) -> str:
    """``curve-uar-fog`` from the ids that matplotlib's figures have; else from what it is described as."""
    found = re.search(r'id="([\w-]+?)-figure_1"', drawing)
    described = re.search(r'aria-label="([^"]*)"', drawing)
    text = found[1] if found else unescape(described[1] if described else "figure").split(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:NAME_CHARACTERS]


def _unused(folder: Path, name: str, taken: list[Path]) -> Path:
    path, number = folder / f"{name}.svg", 2
    while path in taken:
        path, number = folder / f"{name}-{number}.svg", number + 1
    return path
