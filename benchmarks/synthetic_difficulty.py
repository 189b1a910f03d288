"""How hard the embedded data set is: what can be had without seeing the face move, and what a video network gets.

    python benchmarks/synthetic_difficulty.py --size small --out benchmarks/synthetic_difficulty.md

Judges of one fold's test clips, trained on its training clips. Without movement: the most frequent class; logistic
regression on each clip's mean and standard deviation of colour; a support vector machine on the middle frame; and X3D
on the middle frame held still for the whole clip. With movement: the same support vector machine on how much each
place of the picture changes over the clip, and X3D on the clip. Only these two may do well.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from scipy.stats import binomtest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import Tensor, nn
from torch.nn import functional

from harness import plugins
from harness.data.clip import Source
from harness.data.decode import count_frames, read_frames
from harness.data.sampling import sample
from harness.datasets.synthetic import synthetic
from harness.seeds import derive
from models._blocks.model import ClipShape


class Split(NamedTuple):
    """Decoded clips and their labels."""

    pixels: UInt8[Tensor, "n t h w 3"]
    labels: Int[Tensor, " n"]


class Recipe(NamedTuple):
    """How the network is trained."""

    epochs: int
    batch_size: int
    learning_rate: float
    width: float
    depth: float
    seed: int


class Score(NamedTuple):
    """One row of the table; fractions."""

    judge: str
    war: float
    uar: float
    seconds: float


def main() -> None:
    """Measure, print and write the table."""
    arguments = _parse()
    torch.set_num_threads(arguments.threads)
    source = synthetic.open(arguments.root, {"size": arguments.size})
    fold = source.fold(arguments.fold)
    shape = ClipShape(arguments.frames, arguments.pixels)
    train, test = _decode(source, fold.train, shape), _decode(source, fold.test, shape)
    recipe = Recipe(
        arguments.epochs, arguments.batch_size, arguments.learning_rate, arguments.width, arguments.depth, seed=0
    )
    scores = [
        judge_majority(train, test),
        judge_colour(train, test),
        judge_maps("middle frame: principal components, SVM", middle_map, (train, test)),
        judge_network("middle frame held still: X3D", still(train), still(test), recipe),
        judge_maps("change of each place: principal components, SVM", change_map, (train, test)),
        judge_network("clip: X3D", train, test, recipe),
    ]
    table = _table(scores, source, arguments, (len(fold.train), len(fold.test)))
    print(table)
    if arguments.out:
        arguments.out.write_text(table)


def judge_majority(train: Split, test: Split) -> Score:
    """Always the most frequent training class."""
    guess = np.full(len(test.labels), np.bincount(train.labels).argmax())
    return _score("most frequent class", guess, test, time.process_time())


def judge_colour(train: Split, test: Split) -> Score:
    """Logistic regression on the mean and standard deviation of each colour over the clip."""
    started = time.process_time()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model.fit(_colours(train.pixels), train.labels)
    return _score("mean colour: logistic regression", model.predict(_colours(test.pixels)), test, started)


def judge_maps(judge: str, seen: Callable[[Split], Float[np.ndarray, "n d"]], splits: tuple[Split, Split]) -> Score:
    """A support vector machine (Gaussian kernel) on the 60 principal components of a map of each clip."""
    started = time.process_time()
    train, test = splits
    model = make_pipeline(StandardScaler(), PCA(60, random_state=0), StandardScaler(), SVC(C=2))
    model.fit(seen(train), train.labels)
    return _score(judge, model.predict(seen(test)), test, started)


def middle_map(split: Split) -> Float[np.ndarray, "n d"]:
    """The middle frame in grey."""
    grey = _grey(split)
    return grey[:, grey.shape[1] // 2].reshape(len(grey), -1)


def change_map(split: Split) -> Float[np.ndarray, "n d"]:
    """Standard deviation of each place's grey over time."""
    grey = _grey(split)
    return grey.std(axis=1).reshape(len(grey), -1)


def judge_network(judge: str, train: Split, test: Split, recipe: Recipe) -> Score:
    """X3D after its last epoch: AdamW, one-cycle learning rate, mirrored and shifted clips."""
    started = time.process_time()
    generator = torch.Generator().manual_seed(derive(recipe.seed, "batches"))
    network = _network(recipe, train)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=0.05)
    steps = recipe.epochs * (len(train.labels) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps, pct_start=0.2)
    for epoch in range(recipe.epochs):
        loss = _train_epoch(network, optimizer, schedule, train, (recipe.batch_size, generator))
        print(f"{judge}: epoch {epoch + 1}/{recipe.epochs}, loss {loss:.3f}, {time.process_time() - started:.0f} s")
    return _score(judge, _predict(network, test), test, started)


def still(split: Split) -> Split:
    """Every clip's middle frame, held for as long as the clip."""
    frames = split.pixels.shape[1]
    return Split(split.pixels[:, frames // 2 : frames // 2 + 1].expand(-1, frames, -1, -1, -1), split.labels)


def _network(recipe: Recipe, train: Split) -> nn.Module:
    """X3D with fresh weights that depend on the seed alone."""
    plugin = plugins.load("model", "x3d")
    config = plugin.config(width=recipe.width, depth=recipe.depth, head_width=256, dropout=0.2)
    shape = ClipShape(train.pixels.shape[1], train.pixels.shape[2])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(recipe.seed, "weights"))
        return plugin.build(config, 7, shape)


def _train_epoch(network, optimizer, schedule, train, batching) -> float:  # noqa: ANN001 - torch's own types
    """One pass over the training clips in random order; the mean loss."""
    network.train()
    batch_size, generator = batching
    order = torch.randperm(len(train.labels), generator=generator)
    losses = []
    for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
        logits = network(_varied(_floats(train.pixels[batch]), generator)).logits
        loss = functional.cross_entropy(logits, train.labels[batch], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def _varied(clips: Float[Tensor, "b t 3 h w"], generator: torch.Generator) -> Float[Tensor, "b t 3 h w"]:
    """Each clip mirrored or not, shifted by up to a sixteenth of its side, and a little brighter or darker."""
    reach = clips.shape[-1] // 16
    varied = []
    for clip in clips:
        dy, dx, mirrored = torch.randint(0, 2 * reach + 1, (3,), generator=generator).tolist()
        gain = 0.8 + 0.4 * float(torch.rand((), generator=generator))
        moved = torch.roll(clip, (dy - reach, dx - reach), (-2, -1))
        varied.append(gain * (moved.flip(-1) if mirrored > reach else moved))
    return torch.stack(varied)


@torch.no_grad()
def _predict(network: nn.Module, test: Split) -> Int[np.ndarray, " n"]:
    """The class with the largest logit of every clip."""
    network.eval()
    logits = [network(_floats(pixels)).logits for pixels in test.pixels.split(32)]
    return torch.cat(logits).argmax(dim=1).numpy()


def _floats(pixels: UInt8[Tensor, "b t h w 3"]) -> Float[Tensor, "b t 3 h w"]:
    """Pixels as a network takes them, from 0 to 1."""
    return pixels.permute(0, 1, 4, 2, 3).float() / 255


def _decode(source: Source, clip_ids: tuple[str, ...], shape: ClipShape) -> Split:
    """Clips at the centres of equal segments."""
    clips = [source.clips[clip_id] for clip_id in clip_ids]
    chosen = [sample("segment_center", count_frames(clip.path), shape.frames, key=0) for clip in clips]
    pixels = [read_frames(clip.path, index, shape.size) for clip, index in zip(clips, chosen, strict=True)]
    return Split(torch.from_numpy(np.stack(pixels)), torch.tensor([clip.label for clip in clips]))


def _colours(pixels: UInt8[Tensor, "n t h w 3"]) -> Float[np.ndarray, "n 6"]:
    """Mean and standard deviation of red, green and blue over each clip."""
    return np.stack([np.concatenate([c.mean((0, 1, 2)), c.std((0, 1, 2))]) for c in pixels.numpy()])


def _grey(split: Split) -> Float[np.ndarray, "n t h w"]:
    """Grey clips at half the side, relative to each clip's mean brightness."""
    grey = np.stack([clip.float().mean(dim=-1).numpy() / 255 for clip in split.pixels])
    clips, frames, height, width = grey.shape
    small = grey.reshape(clips, frames, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
    return small / (small.mean(axis=(1, 2, 3), keepdims=True) + 0.05)


def _score(judge: str, guess: Int[np.ndarray, " n"], test: Split, started: float) -> Score:
    """WAR and UAR of a judge's guesses."""
    labels = test.labels.numpy()
    war, uar = accuracy_score(labels, guess), balanced_accuracy_score(labels, guess)
    return Score(judge, float(war), float(uar), time.process_time() - started)


def _table(scores: list[Score], source: Source, arguments: argparse.Namespace, counts: tuple[int, int]) -> str:
    """The result as Markdown."""
    shape = f"{arguments.frames} frames of {arguments.pixels} pixels"
    network = f"width {arguments.width:g}, depth {arguments.depth:g}, {arguments.epochs} epochs"
    lines = [
        f"# Difficulty of the embedded data set, size `{arguments.size}`",
        "",
        f"Fold {arguments.fold}: {counts[0]} training clips, {counts[1]} test clips, {shape};",
        f"X3D {network}, last epoch, one seed.",
        f"Data fingerprint {source.fingerprint}. Written by `benchmarks/synthetic_difficulty.py`.",
        "",
        "| what is seen: by what | WAR % (95 % Wilson) | UAR % | CPU seconds |",
        "|:--|--:|--:|--:|",
        *(_row(score, counts[1]) for score in scores),
    ]
    return "\n".join(lines) + "\n"


def _row(score: Score, num_clips: int) -> str:
    """A judge's row; the interval is over test clips, as if they were drawn one by one."""
    right = binomtest(round(score.war * num_clips), num_clips).proportion_ci(method="wilson")
    war = f"{100 * score.war:.1f} ({100 * right.low:.1f} to {100 * right.high:.1f})"
    return f"| {score.judge} | {war} | {100 * score.uar:.1f} | {score.seconds:.0f} |"


def _parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="small")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--fold", type=int, default=1)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--pixels", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=5e-3)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--depth", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
