"""How fast the packed clip store gives frames, as ratios in one run, and how much memory a reader holds.

    python benchmarks/clip_store.py [--clips 40] [--rounds 7] [--folder FOLDER]

Clips like DFEW's (224 x 224, 75 frames, h264 at crf 23; the same as a JPEG folder) are read in batches of 8 clips of
16 frames at 112 pixels: by decoding the video on every access (a); by opening JPEG files with Pillow, as the field's
loaders do (b); from the store; and, as the bound, by numpy alone (c): the same bytes from the same mapped file, the
same bytes from an array in memory, once of pages of 4 kB, as a file's are, and once of large pages, which the processor
finds faster, and one run of as many bytes from a random place of the latter. Times are CPU seconds of one process;
frames are drawn beforehand; ways take turns within a round, the median round counts, and the spread is printed. The
last part opens a store of 12,000 clips (a file without content, so that it fits any disk) and reads from it.
"""

import argparse
import json
import mmap
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image

from harness.data.clip import Clip, OfficialFold, Source
from harness.data.clip_store import INDEX, PIXELS, VERSION, ClipStore
from harness.data.decode import read_frames
from harness.data.sampling import sample
from harness.data.store import pack

SIZE, FRAMES, BATCH, LENGTH, NUM_BATCHES = 112, 16, 8, 75, 200


def made_clip(seed: int) -> np.ndarray:
    """A clip with the detail of an aligned face: smooth shapes that move, and sensor noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:224, :224] / 224
    clip = np.empty((LENGTH, 224, 224, 3), np.uint8)
    centres = generator.uniform(0.2, 0.8, (12, 2))
    colours, widths = generator.uniform(-120, 120, (12, 3)), generator.uniform(0.02, 0.15, 12)
    for t in range(LENGTH):
        frame = np.full((224, 224, 3), 128.0)
        for (cx, cy), colour, width in zip(centres, colours, widths, strict=True):
            shift = 0.05 * np.sin(t / 10 + 20 * cx)
            frame += np.exp(-((x - cx - shift) ** 2 + (y - cy) ** 2) / width**2 / 2)[..., None] * colour
        clip[t] = np.clip(frame + generator.normal(0, 3, frame.shape), 0, 255)
    return clip


def write_clips(folder: Path, count: int) -> tuple[list[Path], list[Path]]:
    """The same clips as videos and as JPEG folders."""
    videos, folders = [], []
    for number in range(count):
        video, frames = folder / "videos" / f"{number:05d}.mp4", folder / "frames" / f"{number:05d}"
        videos.append(video)
        folders.append(frames)
        if video.exists():
            continue
        frames.mkdir(parents=True, exist_ok=True)
        video.parent.mkdir(exist_ok=True)
        clip = made_clip(number)
        for index, frame in enumerate(clip, start=1):
            Image.fromarray(frame).save(frames / f"{index:05d}.jpg", quality=95)
        with av.open(str(video), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "23"})
            stream.width = stream.height = 224
            stream.pix_fmt = "yuv420p"
            for frame in clip:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
    return videos, folders


def read_with_pillow(folder: Path, indices: np.ndarray) -> np.ndarray:
    """Frames of a JPEG folder as the field's loaders read them: list, sort, open, convert, resize, stack."""
    files = sorted(folder.glob("*.jpg"))
    images = [Image.open(files[index]).convert("RGB") for index in indices]
    return np.stack([np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)) for image in images])


def in_small_pages(memory: np.ndarray) -> np.ndarray:
    """A copy in memory that the kernel must not put into large pages."""
    block = mmap.mmap(-1, memory.nbytes)
    block.madvise(mmap.MADV_NOHUGEPAGE)
    small = np.frombuffer(block, np.uint8).reshape(memory.shape)
    np.copyto(small, memory)
    return small


def ways(videos: list[Path], folders: list[Path], store: ClipStore) -> dict[str, Callable[[int], np.ndarray]]:
    """Every way of reading the batch of a given number."""
    ids = [video.stem for video in videos]
    memory = np.concatenate([store.frames(clip_id) for clip_id in ids])
    out = np.empty((BATCH, FRAMES, SIZE, SIZE, 3), np.uint8)
    flat = out.reshape(-1, SIZE, SIZE, 3)
    generator = np.random.default_rng(0)
    clips = generator.integers(len(ids), size=(NUM_BATCHES, BATCH))
    draws = [[sample("segment_random", LENGTH, FRAMES, 100 * n + i) for i in range(BATCH)] for n in range(NUM_BATCHES)]
    indices = np.array(draws)
    rows = np.array([store.places[clip_id].start for clip_id in ids])[clips][..., None] + indices
    starts = generator.integers(len(memory) - len(flat), size=NUM_BATCHES)

    def decode(number: int) -> np.ndarray:
        pairs = zip(clips[number], indices[number], strict=True)
        return np.stack([read_frames(videos[clip], wanted.tolist(), SIZE) for clip, wanted in pairs])

    def pillow(number: int) -> np.ndarray:
        pairs = zip(clips[number], indices[number], strict=True)
        return np.stack([read_with_pillow(folders[clip], wanted) for clip, wanted in pairs])

    def gather(number: int) -> np.ndarray:
        return store.batch([ids[clip] for clip in clips[number]], indices[number], out)

    mapped = np.memmap(store.folder / PIXELS, dtype=np.uint8, mode="r", shape=memory.shape)

    def gather_mapped(number: int) -> np.ndarray:
        return np.take(mapped, rows[number], axis=0, out=out, mode="clip")

    def gather_memory(number: int) -> np.ndarray:
        return np.take(memory, rows[number], axis=0, out=out, mode="clip")

    small = in_small_pages(memory)

    def gather_small(number: int) -> np.ndarray:
        return np.take(small, rows[number], axis=0, out=out, mode="clip")

    def copy(number: int) -> np.ndarray:
        np.copyto(flat, memory[starts[number] : starts[number] + len(flat)])
        return out

    return {
        "decode": decode,
        "pillow": pillow,
        "store": gather,
        "numpy, same bytes": gather_mapped,
        "numpy, in memory": gather_small,
        "numpy, large pages": gather_memory,
        "numpy, one run": copy,
    }


def measure(read: dict[str, Callable[[int], np.ndarray]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds per batch of every way, one figure per round."""
    batches = {"decode": 1, "pillow": 2}
    seconds: dict[str, list[float]] = {name: [] for name in read}
    for turn in range(-1, rounds):
        for name, function in read.items():
            start = time.process_time()
            for number in range(batches.get(name, NUM_BATCHES)):
                function((number + turn * batches.get(name, NUM_BATCHES)) % NUM_BATCHES)
            if turn >= 0:
                seconds[name].append((time.process_time() - start) / batches.get(name, NUM_BATCHES))
    return seconds


def write_hollow_store(folder: Path, clips: int = 12_000, frames: int = 77) -> None:
    """A pack of 12,000 clips whose file of frames has no content."""
    index = {
        "version": VERSION,
        "size": SIZE,
        "max_frames": 96,
        "bad": {},
        "regions": [[0, clips * frames, 0]],
        "clips": {f"{number:05d}": [number * frames, frames, frames] for number in range(clips)},
    }
    with (folder / PIXELS).open("wb") as file:
        file.truncate(clips * frames * SIZE * SIZE * 3)
    (folder / INDEX).write_text(json.dumps(index))


MEMORY_PROBE = """
import resource, sys, time
from pathlib import Path
import numpy as np
from harness.data.clip_store import ClipStore
def held():
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('RssAnon')) / 1024
before = held()
start = time.perf_counter()
store = ClipStore.open(Path(sys.argv[1]))
opened = time.perf_counter() - start
ids = list(store.places)
generator = np.random.default_rng(0)
for _ in range(200):
    chosen = generator.integers(len(ids), size=8)
    store.batch([ids[c] for c in chosen], np.sort(generator.integers(77, size=(8, 16))))
print(before, held(), opened)
"""


def report(seconds: dict[str, list[float]]) -> None:
    """Frames per CPU second and ratios, with the range over rounds."""
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{'':>18} {'frames / CPU s':>16} {'range over rounds':>26} {'store is':>10}")
    for name, values in seconds.items():
        rates = [BATCH * FRAMES / value for value in values]
        ratio = middle[name] / middle["store"]
        span = f"{min(rates):,.0f} to {max(rates):,.0f}"
        print(f"{name:>18} {BATCH * FRAMES / middle[name]:>16,.0f} {span:>26} {ratio:>8.2f} x")


def main() -> None:
    """Run all parts and print them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where to keep the made clips (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        os.environ["DFERBENCH_CACHE"] = str(folder / "cache")
        videos, folders = write_clips(folder, chosen.clips)
        clips = {video.stem: Clip(clip_id=video.stem, path=video, label=0) for video in videos}
        fold = OfficialFold(tuple(clips), ())
        source = Source(name="made", root=folder, classes=("a",), clips=clips, folds={1: fold}, excluded={})
        start = time.process_time()
        store = pack(source, SIZE, 96, workers=1).store
        spent = time.process_time() - start
        if spent > 1:
            print(f"packing: {len(clips) / spent:.1f} clips, {len(clips) * LENGTH / spent:,.0f} frames per CPU s")
        report(measure(ways(videos, folders, store), chosen.rounds))
        hollow = folder / "hollow"
        hollow.mkdir(exist_ok=True)
        write_hollow_store(hollow)
        probe = [sys.executable, "-c", MEMORY_PROBE, str(hollow)]
        answer = subprocess.run(probe, capture_output=True, text=True, check=True).stdout
        before, after, opened = map(float, answer.split())
        print(f"12,000 clips: opened in {opened * 1000:.0f} ms; memory of its own {after:.0f} MB ({before:.0f} before)")


if __name__ == "__main__":
    main()
