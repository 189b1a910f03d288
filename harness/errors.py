"""Every mistake a user can make: what is wrong, what was seen, what to do."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


class HarnessError(Exception):
    """A mistake that the user can mend; printed as one line (or a list of lines), exit code 2.

    Anything else that escapes is a defect of dferbench and shows its traceback.
    """


class StorageError(HarnessError):
    """Storage that cannot be written: full, read-only, not permitted. Trying the next trial would not help."""


class DamagedError(HarnessError):
    """A file of ours whose content is not what was written, or that is not there any more.

    Attributes:
        path: the file.
        reason: what is wrong with it.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path} is damaged: {self.reason}. Run its study again, which makes it anew; where it came from "
            "somebody else, ask for it again."
        )


class NothingToReportError(HarnessError):
    """A study of which no confirmed trial has a result."""


class CollectedError(HarnessError):
    """Several mistakes found in one pass, so that they can be mended in one pass.

    Attributes:
        problems: one sentence per mistake, each naming the file (and line) or the key it is about.
    """

    def __init__(self, headline: str, problems: Iterable[str], shown: int = 20) -> None:
        self.problems = tuple(problems)
        lines = [f"  - {problem}" for problem in self.problems[:shown]]
        if len(self.problems) > shown:
            lines.append(f"  ... and {len(self.problems) - shown} more")
        super().__init__("\n".join([headline, *lines]))


SHOWN = 16
"""Known names that a hint lists, the nearest before others."""


def near_miss(name: str, known: Iterable[str], where: str = "") -> str:
    """A hint for a name that is not known: the closest known name, and all of them or the nearest.

    Args:
        name: the unknown one.
        known: the others.
        where: what lists all of them, told if they are too many.

    >>> near_miss("m3dfell", ["hdf", "m3dfel", "x3d"])
    "Did you mean 'm3dfel'? Known: hdf, m3dfel, x3d."
    >>> near_miss("DFEW", ["dfew", "mafw"])
    "Did you mean 'dfew'? Known: dfew, mafw."
    """
    names = sorted(known)
    lowered = {one.lower(): one for one in names}
    close = difflib.get_close_matches(name.lower(), lowered, n=SHOWN, cutoff=0.5)
    guess = f"Did you mean '{lowered[close[0]]}'? " if close else ""
    if len(names) <= SHOWN:
        return f"{guess}Known: {', '.join(names) or 'none'}."
    shown = list(dict.fromkeys([*(lowered[one] for one in close), *names]))[:SHOWN]
    return f"{guess}Known: {', '.join(sorted(shown))} and {len(names) - SHOWN} more{where and f' ({where})'}."


def unknown(kind: str, name: str, known: Iterable[str]) -> HarnessError:
    """The error for a name that is not known, with the near miss offered."""
    return HarnessError(f"No {kind} named '{name}'. {near_miss(name, known, LISTED.get(kind, ''))}")


LISTED = {
    kind: f"dferbench list {kind}s" for kind in ("model", "perturbation", "objective", "dataset", "metric", "suite")
}
"""By kind of a name, the command that lists all of them."""


def raised(error: BaseException, file: Path | None = None) -> str:
    """In one line, what code that others wrote has raised: its type, what it says, and the line that it comes from.

    Args:
        error: a syntax error tells its place itself.
        file: the plugin's own; the last line in it is named, and none where the error passed through none. Without a
            file the last line of all is.
    """
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    steps = traceback.extract_tb(error.__traceback__)
    inside = [step for step in steps if file is None or Path(step.filename) == file]
    place = f" ({inside[-1].filename}, line {inside[-1].lineno})" if inside else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def gist(error: str, longest: int = 300) -> str:
    r"""What an error says, in a line: its first, or of a traceback the exception's type and message.

    >>> gist('Traceback:\n  File "fog.py", line 3, in apply\n    return 1 / 0\nZeroDivisionError: by 0\nby fog')
    'ZeroDivisionError: by 0'
    >>> gist("No model named 'x3e'. Known: x3d.", 10)
    'No model …'
    """
    lines = error.strip().splitlines() or [""]
    frames = [place for place, line in enumerate(lines) if line.startswith("  File ")]
    after = [line for line in lines[frames[-1] + 1 :] if not line.startswith(" ")] if frames else lines
    line = (after or lines[-1:])[0].strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
