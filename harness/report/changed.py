"""Whether a study file still says what was run, for verbs that are given the file and show the run."""

from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.spec.load import load_study


def changed_since_run(file: Path, run: RunPaths, command: str) -> str:
    """One line on what is shown and how to bring it up to date; empty where the file says what was run.

    Args:
        file: the study file as it is now.
        run: the study's results.
        command: runs the study.
    """
    if not run.study_file.exists():
        return ""
    now = load_study(file).model_dump(mode="json")
    try:
        then: dict[str, Any] = load_study(run.study_file).model_dump(mode="json")
    except HarnessError:
        return f"{run.study_file} is of another version; what follows is what was run. Run anew with: {command}"
    _leave_out_what_is_filled_in(now, then)
    changed = [key for key in now if now[key] != then.get(key)]
    if not changed:
        return ""
    return (
        f"{file} was changed since it was run, in: {', '.join(changed)}. What follows is what was run "
        f"({run.study_file}). Bring it up to date with: {command}"
    )


def _leave_out_what_is_filled_in(now: dict[str, Any], then: dict[str, Any]) -> None:
    """Take from both what a run writes into its own file where a study leaves it open: hashes, members, whole paths."""
    for name, method in now["methods"].items():
        for key in [key for key in ("weights", "code") if method.get(key) is None]:
            method.pop(key, None)
            then.get("methods", {}).get(name, {}).pop(key, None)
    if now["stress"].get("suite") is not None:
        for stress in (now["stress"], then.get("stress", {})):
            for key in ("suite", "members"):
                stress.pop(key, None)
    root, then_root = (study["dataset"].get("root") for study in (now, then))
    if root and then_root and (Path(then_root).match(root) or Path(root).expanduser().absolute() == Path(then_root)):
        then["dataset"]["root"] = root
