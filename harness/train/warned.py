"""What libraries warn of while a trial is trained, for its record: nobody reads what a worker prints."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 20
"""Different warnings that are kept of a trial."""
LONGEST = 300
"""Characters that are kept of each."""


@contextmanager
def warned() -> Iterator[list[str]]:
    """Within it, warnings are collected instead of printed; the list is filled when it ends, each warning once."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        yield found
    said = (f"{one.category.__name__}: {' '.join(str(one.message).split())}"[:LONGEST] for one in caught)
    found += list(dict.fromkeys(said))[:MOST]
