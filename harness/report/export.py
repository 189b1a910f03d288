"""``dferbench export``: a study's tables as comma-separated values."""

from pathlib import Path

from harness.errors import HarnessError
from harness.paths import RunPaths
from harness.tables.schema import EPOCHS, METRICS, SCORES, TRIALS
from harness.tables.store import read, write_text

TABLES = (TRIALS, EPOCHS, METRICS, SCORES)


def export_tables(run: RunPaths, folder: Path) -> list[Path]:
    """Write every table that a study has as CSV, one file a table; fractions keep all their digits.

    Raises:
        HarnessError: if the study has no table at all.
    """
    written = []
    for table in TABLES:
        if run.table(table.name).exists():
            path = folder / f"{table.name}.csv"
            write_text(read(run.table(table.name), table).to_csv(index=False, lineterminator="\n"), path)
            written.append(path)
    if not written:
        raise HarnessError(f"There is no table in {run.table('trials').parent}. Run the study first.")
    return written
