"""Write into each folder of plugins the list of the modules that git knows there: those that are released.

Trials are named by the source of what is not on these lists. ``--check`` only compares, and says what differs.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from harness.plugins import KINDS  # noqa: E402 - after the path to it
from harness.sources import RELEASED  # noqa: E402


def modules(folder: Path) -> list[str]:
    """The modules of a folder and below that git knows, by their paths without ``.py``."""
    command = ["git", "ls-files", "--", "*.py"]
    known = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return sorted(line.removesuffix(".py") for line in known.splitlines())


def main() -> int:
    """Write the lists, or compare them; the exit code."""
    differ = 0
    for package in KINDS.values():
        folder = ROOT.joinpath(*package.split("."))
        wanted, file = "\n".join(modules(folder)) + "\n", folder / RELEASED
        if (file.read_text() if file.exists() else "") == wanted:
            continue
        differ += 1
        if "--check" not in sys.argv:
            file.write_text(wanted)
    return differ if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
