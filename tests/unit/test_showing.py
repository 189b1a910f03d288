"""Clips as an evaluation shows them: the order of passes, codecs that work ahead, and a GPU that is never waited for.

The device ``meta``, which has shapes and no values, takes a GPU's place where threads count; fake CUDA tensors do where
copies count.
"""

import threading
from types import SimpleNamespace

import pytest
import torch
from other_devices import Waits
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from harness.spec.trial import CLEAN_CONDITION, Condition
from harness.train import showing
from harness.train.batches import Batch
from harness.train.conditions import perturbation
from harness.train.predict import said_of
from harness.train.showing import AHEAD, Pass, as_shown, in_turn, on_host, passes_of, shown_under
from perturbations import _jpeg
from perturbations._apply import perturb, stack, to_device
from perturbations._contract import ClipShape
from perturbations._jpeg import beside_other_threads
from perturbations._probe import moving_clip

QUICK = ("reverse", "gaussian_noise", "face_jitter", "temporal_blur", "identity_intrusion", "low_resolution")
CODED = ("jpeg", "bad_call", "combined_webcam")
CPU, META = torch.device("cpu"), torch.device("meta")
CLIPS = torch.stack([moving_clip(ClipShape(4, 24, 24), key=index) for index in range(2)])
BATCH = Batch(
    clip_ids=("one", "two"),
    pixels=CLIPS,
    labels=torch.zeros(2, dtype=torch.long),
    groups=torch.zeros(2, dtype=torch.long),
)


def passes(*names, severities=(1, 3)):
    conditions = [Condition(perturbation=name, severity=severity) for severity in severities for name in names]
    return [Pass(CLEAN_CONDITION, 0), *(Pass(condition, 0) for condition in conditions)]


def codec_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("codec")]


def test_on_the_cpu_every_pass_is_shown_in_its_order_and_as_it_is_alone():
    shown = passes(*CODED[:2], *QUICK[:2])
    found = list(shown_under(BATCH, shown, CPU))
    assert [place for place, _ in found] == list(range(len(shown)))
    for place, pixels in found:
        assert torch.equal(pixels, as_shown(CLIPS, BATCH.clip_ids, shown[place]))


@pytest.mark.parametrize("names", [QUICK, CODED, (*CODED, *QUICK), (CODED[0], *QUICK)])
def test_elsewhere_each_pass_has_one_turn_and_those_of_codecs_come_late_and_apart(names):
    shown = passes(*names)
    turns = in_turn(shown)
    assert sorted(turns) == list(range(len(shown)))
    quick = [place for place in turns if not on_host(shown[place])]
    assert quick == sorted(quick)
    coded = [turn for turn, place in enumerate(turns) if on_host(shown[place])]
    if coded and len(quick) > len(coded):
        gaps = [after - before for before, after in zip([-1, *coded], coded, strict=False)]
        assert max(gaps) - min(gaps) <= 1
        assert min(gaps) >= 2


def test_what_codecs_make_ahead_is_what_they_make_in_place():
    shown = passes(*CODED)[1:]
    with showing._codecs(BATCH, shown, pinned=False) as made:
        for one, pixels in zip(shown, made, strict=True):
            assert torch.equal(pixels, as_shown(CLIPS, BATCH.clip_ids, one))


@pytest.fixture
def watched(monkeypatch):
    """Threads that make what a codec is needed for are noted, and wait for a gate; all else is shown as it is."""
    gate, begun = threading.Event(), []

    def as_shown_slowly(pixels, clip_ids, one):
        if not on_host(one):
            return pixels
        begun.append(threading.current_thread().name)
        assert gate.wait(timeout=30)
        return as_shown(pixels, clip_ids, one)

    monkeypatch.setattr(showing, "as_shown", as_shown_slowly)
    return SimpleNamespace(open=gate.set, begun=begun)


def test_nobody_waits_for_a_codec_that_can_show_something_else(watched):
    shown = passes(*CODED, *QUICK)
    found = shown_under(BATCH, shown, META)
    first = [next(found)[0] for _ in range(2)]
    assert not any(on_host(shown[place]) for place in first)
    assert all(name.startswith("codec") for name in watched.begun)
    watched.open()
    assert sorted([*first, *(place for place, _ in found)]) == list(range(len(shown)))
    assert len(watched.begun) == 2 * len(CODED)
    assert not codec_threads()


def test_codecs_are_never_further_ahead_than_said(watched):
    watched.open()
    shown, taken = passes(*CODED, severities=(1, 2, 3, 4, 5)), 0
    for place, _ in shown_under(BATCH, shown, META):
        taken += on_host(shown[place])
        assert len(watched.begun) <= taken + AHEAD
    assert len(watched.begun) == taken == 5 * len(CODED)


def test_an_evaluation_that_ends_early_leaves_no_thread(watched):
    found = shown_under(BATCH, passes(*CODED, *QUICK), META)
    next(found)
    assert codec_threads()
    watched.open()
    found.close()
    assert not codec_threads()


def test_what_fails_in_a_codec_fails_the_evaluation(watched, monkeypatch):
    def broken(clip, quality):
        raise ValueError("no such frame")

    monkeypatch.setattr(_jpeg, "_through_jpeg", broken)
    watched.open()
    with pytest.raises(ValueError, match="no such frame"):
        list(shown_under(BATCH, passes("jpeg", *QUICK), META))
    assert not codec_threads()


@pytest.mark.parametrize("quality", [7, 15, 25, 80])
def test_both_jpeg_codecs_give_the_same_bytes(quality):
    by_rust = _jpeg._through_jpeg(CLIPS[0], quality)
    with beside_other_threads():
        by_pillow = _jpeg._through_jpeg(CLIPS[0], quality)
    assert torch.equal(by_rust, by_pillow)
    assert not torch.equal(by_rust, CLIPS[0])


def test_clips_that_a_device_cannot_spoil_at_once_are_spoilt_in_halves(monkeypatch):
    one, taken = passes("gaussian_noise", severities=(3,))[1], []

    def small(pixels, *rest):
        if len(pixels) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        taken.append(len(pixels))
        return perturb(pixels, *rest)

    def none(*given):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    whole = as_shown(CLIPS, BATCH.clip_ids, one)
    monkeypatch.setattr(showing, "perturb", small)
    assert torch.equal(as_shown(CLIPS, BATCH.clip_ids, one), whole)
    assert taken == [1, 1]
    monkeypatch.setattr(showing, "perturb", none)
    with pytest.raises(torch.OutOfMemoryError):
        as_shown(CLIPS, BATCH.clip_ids, one)


class Mean(nn.Module):
    """Logits that hang on every pixel."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 7)

    def forward(self, clips):
        return SimpleNamespace(logits=self.head(clips.mean((1, 3, 4))))


def test_repeats_of_what_draws_nothing_are_made_once_and_told_as_often_as_they_are_asked_for(monkeypatch):
    conditions = [one.condition for one in passes("gaussian_noise", "low_resolution", severities=(3,))]
    shown, made, looked = passes_of(conditions, 3), [], []
    monkeypatch.setattr(showing, "perturb", lambda *given: made.append(given) or perturb(*given))
    with torch.no_grad(), torch.random.fork_rng():
        said = said_of([Mean()], BATCH, shown, CPU, lambda *seen: looked.append(seen))[0]
    assert len(made) == 4, "three draws of noise and one picture of low resolution"
    assert [one for one, *_ in looked] == shown
    for one, _, pixels in looked:
        assert torch.equal(pixels, as_shown(CLIPS, BATCH.clip_ids, one))
    noisy, coarse = said[1:4], said[4:7]
    assert not torch.equal(noisy[0], noisy[1])
    assert torch.equal(coarse[0].expand_as(coarse), coarse)


@pytest.mark.parametrize("repeats", [1, 2])
def test_a_gpu_is_waited_for_by_no_pass_of_a_batch_only_for_its_logits(monkeypatch, repeats):
    shown, waits = passes_of([one.condition for one in passes(*QUICK)], repeats), []
    for place, _ in shown_under(BATCH, shown, CPU):  # what is kept for the CPU is made of values
        assert place < len(shown)
    drawn = {one: _drawn(one) for one in shown[1:]}
    monkeypatch.setattr(showing, "as_shown", lambda pixels, _, one: _applied(pixels, one, drawn))
    with FakeTensorMode(allow_non_fake_inputs=True):
        device = torch.device("cuda")
        with device:
            models = [Mean(), Mean()]
        for _ in range(2):  # the first lays down what is kept for the GPU
            with torch.no_grad(), Waits() as counted:
                said = said_of(models, BATCH, shown, device)
            waits.append(counted.found)
    assert said.device.type == "cuda"
    assert said.shape == (2, len(shown), 2, 7)
    assert waits[1] == []


def _drawn(one):
    """Parameters of both clips; fakes have no values that could be drawn."""
    member, shape = perturbation(one.condition.perturbation), ClipShape(*CLIPS.shape[1:2], *CLIPS.shape[3:])
    return stack([member.draw(member.level(one.condition.severity), number, shape) for number in (1, 2)])


def _applied(pixels, one, drawn):
    if one not in drawn:
        return pixels
    return perturbation(one.condition.perturbation).apply(pixels, to_device(drawn[one], pixels.device))
