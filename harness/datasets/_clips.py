"""The clips of a folder: one listing, then one look at each clip that is wanted."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from harness.data.files import count_frame_files, is_pointer, is_video
from harness.errors import HarnessError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFolder:
    """What lies directly in a folder of clips.

    Attributes:
        folder: the folder.
        entries: names of videos and of sub-folders by clip name (the name without a video's ending).
    """

    folder: Path
    entries: dict[str, tuple[str, ...]]

    def find(self, name: str) -> Path:
        """The one video or frame folder of a clip, not empty and not a pointer stub.

        Raises:
            HarnessError: if there is none, more than one, or nothing in it.
        """
        entries = self.entries.get(name, ())
        if not entries:
            raise HarnessError(f"clip '{name}' has no file in {self.folder}")
        if len(entries) > 1:
            raise HarnessError(f"clip '{name}' is there more than once: {', '.join(sorted(entries))} in {self.folder}")
        path = self.folder / entries[0]
        check_not_empty(path)
        return path


def list_clips(folder: Path) -> ClipFolder:
    """The videos and sub-folders that lie directly in a folder; hidden ones and other files are passed over.

    Raises:
        HarnessError: if the folder cannot be listed.
    """
    found: dict[str, tuple[str, ...]] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_video(entry.name):
                    stem = entry.name.rpartition(".")[0]
                elif not entry.name.startswith(".") and entry.is_dir():
                    stem = entry.name
                else:
                    continue
                found[stem] = (*found.get(stem, ()), entry.name)
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be listed ({error.strerror}).") from None
    return ClipFolder(folder=folder, entries=found)


def check_not_empty(path: Path) -> None:
    """See that a clip is more than a name, without decoding it.

    Raises:
        HarnessError: for an empty frame folder, an empty file, or a Git LFS pointer.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        if count_frame_files(path) == 0:
            raise HarnessError(f"{path} holds no frame")
    elif status.st_size == 0:
        raise HarnessError(f"{path} is empty (0 bytes)")
    elif is_pointer(path, status.st_size):
        raise HarnessError(f"{path} is a Git LFS pointer, not a video; fetch the file that it stands for")
