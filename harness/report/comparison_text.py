"""A comparison in words and as Markdown, with the warnings that belong to it."""

from collections.abc import Collection
from typing import Any

import pandas as pd

from harness.report.comparison_question import Question
from harness.report.design_cautions import condition_caution, design_cautions
from harness.report.leaderboard import METRICS_SHOWN, md_row, points
from harness.report.notes import class_cautions, collapse_cautions, collapsed_methods, plural, seed_cautions
from harness.report.selection import OPTIMISTIC
from harness.report.study_results import StudyResults
from harness.stats.aggregate import CLEAN_SCOPE
from harness.stats.multiplicity import ROUNDING
from harness.tables.selections import BEST_ON_TEST, RANKED, RULES

ALPHA = 0.05
"""A difference is called supported where its family-wise p-value is below this."""

INTERVALS = (("low", "high"), ("low_family", "high_family"))
"""The columns of a difference's own interval and of the one that holds for the whole family."""

EFFECTS = (
    "P(improvement): how often a training of the one beats a training of the other on the same fold. d_z: mean over "
    "standard deviation of the fold differences; folds share training clips, so it is too large. The size in points, "
    "with its interval, comes first."
)
"""How the effect sizes beside the difference are to be read."""

USUAL_RATIOS = (0.05, 1.0)
"""Test-to-train ratios between which the corrected t test was studied (Bouckaert & Frank 2004)."""


def comparison_text(table: pd.DataFrame, results: StudyResults, question: Question, covers: str) -> str:
    """The whole answer of ``dferbench compare``."""
    rows = table.to_dict("records")
    title = f"# {METRICS_SHOWN[question.metric]} ({question.scope}): {results.question}"
    collapsed = collapsed_methods(results.outcomes) if question.tested == CLEAN_SCOPE else set()
    parts = [title, *(f"- {verdict(row, question, collapsed)}" for row in rows), "", *_bootstrap_table(rows), ""]
    parts += [*_fold_table(rows), "", *_effect_table(rows), ""]
    if any("p_mcnemar" in row and row["p_mcnemar"] == row["p_mcnemar"] for row in rows):
        parts += [*_checkpoint_table(rows), ""]
    notes = [*_reading(question, covers, len(rows)), *condition_caution(question.tested)]
    notes += comparison_cautions(rows, results)
    return "\n".join([*parts, *(f"- {note}" for note in notes), ""])


def verdict(row: dict[Any, Any], question: Question, collapsed: Collection[str] = ()) -> str:
    """One sentence: who is better and by how much, or that the data do not say.

    Everything it claims rests on the interval that it prints, which holds for the whole family of comparisons.

    Args:
        row: one comparison.
        question: what was asked.
        collapsed: methods whose every network names one class for all clean clips.
    """
    one, other = row["method"], row["against"]
    if one in collapsed and other in collapsed:
        return (
            f"{one} and {other} are both at chance: every network of either names one class for all clean clips, so "
            "nothing about the methods can be compared."
        )
    low, high = row["low_family"], row["high_family"]
    if high - low < ROUNDING:
        return f"{one} and {other} differ by {points(row['difference'])} points in every resample; nothing varies."
    gap = f"{points(row['difference'])} points, family-wise 95 % interval {points(low)} to {points(high)}"
    inside = max(abs(low), abs(high)) <= question.half_width
    if row["p_family"] < ALPHA:
        ahead = f"{one} is {'better' if row['difference'] > 0 else 'worse'} than {other} ({gap})"
        return f"{ahead}, though by less than {100 * question.half_width:g} points." if inside else f"{ahead}."
    if inside:
        return f"{one} and {other} are practically equivalent ({gap})."
    return f"{one} and {other} cannot be told apart ({gap})."


def comparison_cautions(rows: list[dict[Any, Any]], results: StudyResults) -> list[str]:
    """What could mislead a reader of these comparisons."""
    folds, floor = rows[0]["folds"], rows[0]["p_floor"]
    outcomes = results.outcomes
    clips = outcomes.num_clips / folds
    ratio = clips / max(results.dataset["num_clips"] - clips, 1)
    notes = [*outcomes.notes, *seed_cautions(outcomes), *class_cautions(outcomes), *collapse_cautions(outcomes)]
    notes += design_cautions(results)
    if floor > ALPHA:
        notes.append(
            f"With {plural(folds, 'fold')} an exact test of folds gives no p below {floor:.4g}, however large the gap."
        )
    if folds > 1:
        share = max(0.0, 1 - 1 / max(len(results.dataset["folds"]) - 1, 1))
        notes.append(
            f"Any two training sets share about {100 * share:.0f} % of their clips; folds are not independent trials."
        )
    if not USUAL_RATIOS[0] <= ratio <= USUAL_RATIOS[1]:
        notes.append(
            f"Test folds are {ratio:.2f} of the training clips, outside the range in which the corrected t is studied."
        )
    return notes


def _reading(question: Question, covers: str, comparisons: int) -> list[str]:
    family = f"{plural(comparisons, 'comparison')}" + (
        f" with {question.baseline}" if question.baseline else " of all pairs"
    )
    drawn = f"{question.replicates} paired bootstrap replicates over {covers}"
    return [
        f"Intervals and family-wise p: {drawn}; max-t over the family of {family}.",
        "Verdicts rest on the family-wise intervals; the plain 95 % interval is of each difference alone.",
        f"Practical equivalence: within {100 * question.half_width:g} points.",
        EFFECTS,
        *_selection_note(question.selection),
    ]


def _selection_note(selection: str) -> list[str]:
    """What the rule of selection does to the numbers; nothing for the ranked one."""
    if selection == RANKED:
        return []
    return [f"{RULES[selection]}: {OPTIMISTIC if selection == BEST_ON_TEST else 'no epoch was chosen'}."]


def _bootstrap_table(rows: list[dict[Any, Any]]) -> list[str]:
    lines = ["| Method | Against | Difference | 95 % interval | Family-wise interval | Family-wise p |"]
    lines.append("| :-- | :-- | --: | --: | --: | --: |")
    for row in rows:
        alone, together = (f"{points(row[low])} to {points(row[high])}" for low, high in INTERVALS)
        cells = [row["method"], row["against"], points(row["difference"]), alone, together, p_text(row["p_family"])]
        lines.append(md_row(cells))
    return lines


def _fold_table(rows: list[dict[Any, Any]]) -> list[str]:
    head = ["Method", "Against", "Folds better", "Corrected t: interval", "p", "P(worse) / P(equivalent) / P(better)"]
    floor = rows[0]["p_floor"]
    head += [f"Sign-flip p (at least {floor:.4g})", f"Wilcoxon p (at least {floor:.4g})"]
    lines = [f"| {' | '.join(head)} |", f"| :-- | :-- |{' --: |' * (len(head) - 2)}"]
    for row in rows:
        corrected = ["needs 3 folds", "", ""]
        if "p_corrected_t" in row:
            interval = f"{points(row['fold_low'])} to {points(row['fold_high'])}"
            chances = " / ".join(f"{row[name]:.2f}" for name in ("worse", "equivalent", "better"))
            corrected = [interval, p_text(row["p_corrected_t"]), chances]
        exact = [p_text(row["p_sign_flip"]), p_text(row["p_wilcoxon"])]
        better = f"{row['folds_better']} of {row['folds']}"
        lines.append(md_row([row["method"], row["against"], better, *corrected, *exact]))
    return lines


def _effect_table(rows: list[dict[Any, Any]]) -> list[str]:
    lines = ["| Method | Against | P(improvement) | d_z over folds |", "| :-- | :-- | --: | --: |"]
    for row in rows:
        effect = f"{row['d_z']:+.2f}" if row["d_z"] == row["d_z"] else "not defined"
        lines.append(md_row([row["method"], row["against"], f"{row['p_improvement']:.2f}", effect]))
    return lines


def _checkpoint_table(rows: list[dict[Any, Any]]) -> list[str]:
    lines = ["These weights only (McNemar, clean clips, says nothing of another training):", ""]
    lines += [
        "| Method | Against | Only method right | Only against right | Exact p | Mid-p |",
        "| :-- | :-- |" + " --: |" * 4,
    ]
    lines.extend(
        md_row(
            [
                *(row["method"], row["against"], f"{row['only_method']:.0f}", f"{row['only_against']:.0f}"),
                *(p_text(row["p_mcnemar"]), p_text(row["mid_p_mcnemar"])),
            ]
        )
        for row in rows
    )
    return lines


def p_text(p_value: float) -> str:
    """A p-value with as many digits as it deserves."""
    return "< .0001" if p_value < 0.0001 else f"{p_value:.4f}".replace("0.", ".", 1)
