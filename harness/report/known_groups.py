"""Whether a run's clips name groups (identities, films), without which nothing can be resampled by them."""

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.report.study_results import read_results


def require_groups(run: RunPaths) -> None:
    """See that test clips name groups.

    Raises:
        HarnessError: if no clip does; each would count as a group of its own.
    """
    results = read_results(run)
    if all((fold.groups == fold.clip_ids).all() for fold in results.outcomes.folds):
        raise HarnessError(
            f"No clip of {results.dataset['name']} names a group, so --by-group has nothing to resample: leave it out, "
            "or give groups, which clip_folder reads from the column 'group' of clips.csv and dfew from meta.csv; "
            "ferv39k, cremad and ravdess always have them."
        )
