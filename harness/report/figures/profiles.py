"""Performance profiles: the share of seeds and data sets that score above each threshold."""

import numpy as np
from jaxtyping import Float

from harness.report.figures.svg import canvas, series_color, series_dashes, to_svg
from harness.stats.run_summaries import performance_profile


def draw_profiles(runs: list[Float[np.ndarray, "s t"]], methods: tuple[str, ...]) -> str:
    """One falling line a method; a line that lies above another everywhere is stochastically better."""
    lowest, highest = min(float(one.min()) for one in runs), max(float(one.max()) for one in runs)
    thresholds = np.linspace(max(lowest - 0.02, 0), min(highest + 0.02, 1), 200)
    with canvas(5.2, 2.9) as (figure, axes):
        axes.grid(axis="y")
        for index, (method, one) in enumerate(zip(methods, runs, strict=True)):
            share = 100 * performance_profile(one, thresholds)
            style = {"color": series_color(index), "linestyle": series_dashes(index), "label": method}
            axes.step(100 * thresholds, share, where="post", **style)
        axes.set(title="How often a training scores at least so much")
        axes.set(xlabel="UAR on clean clips (%)", ylabel="seeds and data sets (%)", ylim=(0, 102))
        middles = ", ".join(
            f"{name} {100 * float(np.median(one)):.1f}" for name, one in zip(methods, runs, strict=True)
        )
        return to_svg(
            figure, "profiles", f"Share of seeds and data sets above each UAR; medians in percent: {middles}."
        )
