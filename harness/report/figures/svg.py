"""Matplotlib figures as inline SVG that takes its colours from the page, and is the same bytes every time."""

import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

NUM_SERIES = 8
"""Colours before dashes tell methods apart; the page defines ``--series-0`` to ``--series-7`` for light and dark."""

TITLE_CHARACTERS = 12
"""Of a title, on an inch."""

TITLE_INDENT = 0.55
"""Inches from a figure's left edge to its axes, where titles begin."""

INK, FAINT, GRID = "#010101", "#020202", "#030303"
"""Placeholders that the page's variables replace; as colours they are all but black."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", ":", "-.")

_VARIABLES = {INK: "--ink", FAINT: "--faint", GRID: "--grid"}
_STYLE = {
    "svg.hashsalt": "dferbench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}


def series_color(index: int) -> str:
    """The placeholder of a method's colour."""
    return f"#0{index % NUM_SERIES}0{index % NUM_SERIES}10"


def series_marker(index: int) -> str:
    """A method's marker, which tells it apart without colour; another one for each colour that begins anew.

    The page's legends show the same (``templates/macros.html``).
    """
    return MARKERS[(index + index // NUM_SERIES) % len(MARKERS)]


def series_dashes(index: int) -> str:
    """A method's line style; it changes when the colours begin anew."""
    return DASHES[(index // NUM_SERIES) % len(DASHES)]


@contextmanager
def canvas(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure (inches) and its axes in the report's style; no global state of matplotlib is left changed."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure, figure.subplots()


def on_lines(name: str, width: int) -> str:
    r"""A name on lines of at most so many characters, parted at spaces, hyphens and underscores where it has any.

    >>> on_lines("hdf_without_sharpness", 13)
    'hdf_without_\nsharpness'
    """
    parted = textwrap.wrap(name.replace("_", "_ "), width)
    return "\n".join(line.replace("_ ", "_") for line in parted)


def headline(figure: Figure, text: str) -> None:
    """A title of a figure with one pair of axes, as wide as these, each of its lines on as many as it needs."""
    width = int((figure.get_figwidth() - TITLE_INDENT) * TITLE_CHARACTERS)
    figure.axes[0].set_title("\n".join(on_lines(line, width) for line in text.split("\n")))


def log_x(axes: Axes) -> None:
    """A logarithmic horizontal axis with plain numbers at 1, 2 and 5 times powers of ten."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def to_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an ``<svg>`` element with a text alternative; ``name`` keeps its ids apart from other figures'."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for placeholder, variable in (_VARIABLES | _series_variables()).items():
        text = text.replace(placeholder, f"var({variable})")
    text = re.sub(r"font: ([^;\"]*?)px [^;\"]*", r"font: \1px var(--font)", text)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*" ?', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*" ?', r"<svg \1", text, count=1)
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', text, count=1)


def _series_variables() -> dict[str, str]:
    return {series_color(index): f"--series-{index}" for index in range(NUM_SERIES)}
