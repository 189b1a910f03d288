"""The data set as workers see it: ids, labels, groups and folds in one JSON file, beside the packed clips."""

from __future__ import annotations

import json
from pathlib import Path

from harness.data.clip import Clip, OfficialFold, Source
from harness.errors import HarnessError
from harness.tables.store import write_text


def write_manifest(source: Source, path: Path) -> None:
    """Write what a worker needs of a data set; videos and lists are not needed again."""
    content = {
        "name": source.name,
        "root": str(source.root),
        "fingerprint": source.fingerprint,
        "classes": list(source.classes),
        "clips": [[c.clip_id, c.label, c.group, c.domain, *c.label_distribution] for c in source.clips.values()],
        "folds": {str(index): [list(fold.train), list(fold.test)] for index, fold in source.folds.items()},
        "excluded": source.excluded,
    }
    write_text(json.dumps(content, ensure_ascii=False), path)


def read_manifest(path: Path) -> Source:
    """The data set that ``write_manifest`` wrote.

    Raises:
        HarnessError: if the file is missing or not whole.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path}: the data manifest cannot be read ({error}). Start the study again.") from error
    clips = (
        Clip(
            clip_id=clip_id,
            path=Path(clip_id),
            label=label,
            group=group,
            domain=domain,
            label_distribution=tuple(distribution),
        )
        for clip_id, label, group, domain, *distribution in content["clips"]
    )
    by_id = {clip.clip_id: clip for clip in clips}
    # Folds name every clip again and again; they share the clips' own ids, so that an id is in memory once.
    return Source(
        name=content["name"],
        root=Path(content["root"]),
        classes=tuple(content["classes"]),
        clips=by_id,
        folds={
            int(index): OfficialFold(*(tuple(by_id[clip_id].clip_id for clip_id in part) for part in parts))
            for index, parts in content["folds"].items()
        },
        excluded=content["excluded"],
    )
