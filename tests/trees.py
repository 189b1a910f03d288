"""A small tree laid out like each data set on disk, by ``write_<name>``; clips are named files with little in them."""

import itertools
from pathlib import Path

from tiny_clips import write_dfew as write_dfew
from tiny_clips import write_lines

__all__ = [
    "write_caer",
    "write_clip_folder",
    "write_cremad",
    "write_dfew",
    "write_ferv39k",
    "write_mafw",
    "write_ravdess",
]

FERV_CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
FERV_SCENES = ("Action", "Crime", "School", "War")
MAFW_WORDS = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "contempt",
    "anxiety",
    "helplessness",
    "disappointment",
)


def video(path: Path) -> Path:
    """A file that is not empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def frames(folder: Path, name: str = "01.jpg") -> Path:
    """A frame folder with one file in it."""
    video(folder / name)
    return folder


def write_ferv39k(root: Path, nested: str = "2_ClipsforFaceCrop") -> Path:
    """Four scenes of seven classes with three clips each; the last of each three is tested. Numbers repeat."""
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for scene, emotion, number in itertools.product(FERV_SCENES, FERV_CLASSES, range(10, 13)):
        clip = f"{scene}/{emotion}/{number:04d}"
        frames(root / nested / clip)
        lists["test" if number == 12 else "train"].append(f"{clip} {emotion}")
    for split, lines in lists.items():
        write_lines(root / "4_setups" / "All_scenes" / f"{split}_All.csv", lines)
    return root


def write_mafw(root: Path) -> Path:
    """Five clips of each of eleven classes, the k-th tested in fold k."""
    clips = {f"{5 * c + k:05d}": (MAFW_WORDS[c], k) for c in range(11) for k in range(1, 6)}
    for name in clips:
        video(root / "data" / "clips" / f"{name}.mp4")
    for fold in range(1, 6):
        for split in ("train", "test"):
            lines = [f"{name}.mp4 {word}" for name, (word, own) in clips.items() if (own == fold) == (split == "test")]
            write_lines(root / "split" / "single" / "no_caption" / f"set_{fold}" / f"{split}.txt", lines)
    return root


def write_cremad(root: Path) -> Path:
    """Ten actors, each with one clip of six emotions."""
    for actor, emotion in itertools.product(range(1001, 1011), ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")):
        video(root / "VideoFlash" / f"{actor}_DFA_{emotion}_{'HI' if actor % 2 else 'XX'}.flv")
    return root


def write_ravdess(root: Path) -> Path:
    """Twelve actors, each with one clip of eight emotions, with and without sound."""
    for actor, emotion, modality in itertools.product(range(1, 13), range(1, 9), ("01", "02")):
        video(root / f"Actor_{actor:02d}" / f"{modality}-01-{emotion:02d}-01-01-01-{actor:02d}.mp4")
    return root


def write_caer(root: Path) -> Path:
    """Three training clips, a validation and a test clip of each class; numbers repeat over splits and classes."""
    for emotion in ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"):
        for split, number in (("train", 3), ("validation", 1), ("test", 1)):
            for index in range(1, number + 1):
                video(root / split / emotion / f"{index:04d}.avi")
    return root


def write_clip_folder(root: Path) -> Path:
    """Two classes of six clips, videos and frame folders mixed."""
    for emotion, number in itertools.product(("calm", "excited"), range(6)):
        if number % 2:
            frames(root / emotion / f"c{number}")
        else:
            video(root / emotion / f"c{number}.mp4")
    return root
