"""Augmentation, learning rate, isolation: each a law of its own."""

import numpy as np
import pytest
import torch

from harness.errors import HarnessError
from harness.spec.trial import TrainingSpec
from harness.train.augment import augment
from harness.train.isolation import isolated
from harness.train.options import typed_options
from harness.train.schedule import learning_rate

IDS = ("a", "b", "c")


@pytest.fixture
def clips():
    return torch.rand(3, 4, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def test_an_augmented_clip_does_not_depend_on_its_batch(clips):
    names = ("flip", "crop", "color_jitter")
    whole = augment(clips, names, 5, 2, IDS)
    alone = torch.cat([augment(clips[i : i + 1], names, 5, 2, IDS[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(whole, alone, rtol=0, atol=1e-6)


def test_another_epoch_or_seed_augments_otherwise(clips):
    first = augment(clips, ("crop",), 5, 2, IDS)
    assert not torch.equal(first, augment(clips, ("crop",), 5, 3, IDS))
    assert not torch.equal(first, augment(clips, ("crop",), 6, 2, IDS))


def test_a_flip_mirrors_whole_clips_exactly_and_about_half_of_them(clips):
    flips = 0
    for epoch in range(40):
        out = augment(clips, ("flip",), 0, epoch, IDS)
        for before, after in zip(clips, out, strict=True):
            mirrored = torch.allclose(after, before.flip(-1), atol=1e-5)
            assert mirrored or torch.allclose(after, before, atol=1e-5)
            flips += mirrored
    assert 40 < flips < 80


def test_one_draw_serves_all_frames_of_a_clip(clips):
    still = clips[:, :1].expand(-1, 4, -1, -1, -1).contiguous()
    out = augment(still, ("flip", "crop", "color_jitter"), 3, 1, IDS)
    torch.testing.assert_close(out, out[:, :1].expand_as(out))
    assert out.min() >= 0
    assert out.max() <= 1


def test_no_augmentation_is_the_identity(clips):
    assert augment(clips, (), 0, 0, IDS) is clips


def test_the_learning_rate_warms_up_to_its_peak_and_falls_to_its_floor():
    training = TrainingSpec(epochs=10, warmup_epochs=2, final_learning_rate=0.1)
    rates = [learning_rate(1.0, training, progress) for progress in np.linspace(0, 10, 101)]
    assert rates[0] == 0
    assert rates[20] == pytest.approx(1.0)
    assert rates[60] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1)
    assert all(np.diff(rates[:21]) > 0)
    assert all(np.diff(rates[20:]) < 0)


def test_a_warm_up_longer_than_the_training_still_reaches_the_peak():
    training = TrainingSpec(epochs=2, warmup_epochs=50)
    assert learning_rate(1.0, training, 1.0) == pytest.approx(1.0)


def test_isolation_seeds_inside_and_restores_outside():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with isolated(3, 2, torch.device("cpu")):
        first = torch.rand(3)
        assert torch.get_num_threads() == 2
    with isolated(3, 1, torch.device("cpu")):
        assert torch.equal(first, torch.rand(3))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_an_option_that_a_plugin_does_not_know_is_answered_with_the_nearest_one():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Options:
        width: float = 1.0

    assert typed_options("model 'm'", Options, {"width": 2}).width == 2
    with pytest.raises(HarnessError, match=r"model 'm' has no option 'widht'. Did you mean 'width'?"):
        typed_options("model 'm'", Options, {"widht": 2})
    with pytest.raises(HarnessError, match=r"option 'width'.*seen: 'wide'"):
        typed_options("model 'm'", Options, {"width": "wide"})
