"""A search seen from one parameter at a time: its value against the validation score."""

from typing import NamedTuple

from harness.report.figures.svg import INK, canvas, log_x, series_color, to_svg
from harness.report.sections.axes import Axis
from harness.report.sections.search import Search


class Slice(NamedTuple):
    """One parameter: the score in words, numbers (positions of choices), scores, and which point was chosen."""

    method: str
    axis: Axis
    words: str
    numbers: list[float]
    scores: list[float]
    chosen: list[bool]


def slices(search: Search) -> list[Slice]:
    """Every searched parameter that has two or more scored configurations."""
    found = []
    for one in search.axes:
        shown = [tried for tried in search.scored if one.name in tried.values]
        if len(shown) > 1:
            numbers = [one.number(tried.values[one.name]) for tried in shown]
            scores = [search.score(tried) for tried in shown]
            chosen = [tried.chosen for tried in shown]
            found.append(Slice(search.method, one, search.score_words, numbers, scores, chosen))
    return found


def draw_slice(info: Slice, series: int) -> str:
    """One small multiple; the chosen configuration is ringed."""
    with canvas(2.9, 2.2) as (figure, axes):
        axes.grid(axis="y")
        axes.scatter(info.numbers, info.scores, color=series_color(series), s=22, alpha=0.8, linewidths=0)
        for number, score, chosen in zip(info.numbers, info.scores, info.chosen, strict=True):
            if chosen:
                axes.scatter([number], [score], s=80, facecolors="none", edgecolors=INK, linewidths=1.2)
        name = info.axis.name.rsplit(".", 1)[-1]
        axes.set(title=name, xlabel=info.axis.name, ylabel=info.words)
        if info.axis.scale == "log":
            log_x(axes)
        if info.axis.scale == "choice":
            axes.set_xticks(range(len(info.axis.choices)), info.axis.choices)
            axes.set_xlim(-0.5, len(info.axis.choices) - 0.5)
        best = info.numbers[info.scores.index(max(info.scores))]
        words = info.axis.choices[int(best)] if info.axis.scale == "choice" else f"{best:.3g}"
        text = f"{info.method}: {info.words} against {info.axis.name} over {len(info.scores)} configurations"
        return to_svg(figure, f"slice-{series}-{_slug(info.axis.name)}", f"{text}; best at {words}.")


def _slug(name: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in name.lower())
