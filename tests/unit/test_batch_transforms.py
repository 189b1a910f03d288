"""Mixed clips carry the labels of both of their clips in the shares of their pixels."""

import numpy as np
import pytest
import torch

from harness.train.batch_transforms import draw_cuboid, mix

NAMES = ("mixup", "cutmix", "videomix")
SHAPE = (5, 6, 3, 8, 10)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Each clip is one shade, so that a mixed clip's mean tells its shares."""
    shades = torch.arange(5) / 5
    return shades.view(-1, 1, 1, 1, 1).expand(SHAPE).clone(), torch.eye(5)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", NAMES)
def test_labels_are_mixed_in_the_share_of_pixels(name, seed):
    clips, labels = batch()
    mixed = mix(name, clips, labels, 1.0, np.random.default_rng(seed))
    torch.testing.assert_close(mixed.distributions.sum(1), torch.ones(5))
    torch.testing.assert_close(mixed.clips.mean(dim=(1, 2, 3, 4)), mixed.distributions @ (torch.arange(5) / 5))


@pytest.mark.parametrize("name", NAMES)
def test_the_batch_is_left_as_it_was_and_draws_are_the_generator_s(name):
    clips, labels = batch()
    one = mix(name, clips, labels, 1.0, np.random.default_rng(3))
    other = mix(name, clips, labels, 1.0, np.random.default_rng(3))
    assert torch.equal(clips, batch()[0])
    assert torch.equal(labels, torch.eye(5))
    assert torch.equal(one.clips, other.clips)
    assert torch.equal(one.distributions, other.distributions)


def test_a_pasted_box_is_the_same_in_all_frames_of_cutmix_and_not_of_videomix():
    clips, labels = batch()

    def frames_differ(name: str, seed: int) -> bool:
        mixed = mix(name, clips, labels, 1.0, np.random.default_rng(seed)).clips
        return bool((mixed != mixed[:, :1]).any())

    assert not any(frames_differ("cutmix", seed) for seed in range(10))
    assert any(frames_differ("videomix", seed) for seed in range(10))


@pytest.mark.parametrize("in_time", [False, True])
def test_boxes_have_the_asked_share_away_from_the_borders(in_time):
    shape = torch.Size((1, 100, 3, 100, 100))
    generator = np.random.default_rng(0)
    boxes = [draw_cuboid(shape, 0.125, generator, in_time=in_time) for _ in range(200)]
    volumes = [np.prod([side.stop - side.start for side in box]) / 1e6 for box in boxes]
    assert max(volumes) == pytest.approx(0.125, rel=0.05)
    assert all(0 <= side.start <= side.stop <= 100 for box in boxes for side in box)


def test_one_clip_mixed_with_itself_stays_itself():
    clips, labels = batch()
    for name in NAMES:
        mixed = mix(name, clips[:1], labels[:1], 0.2, np.random.default_rng(1))
        torch.testing.assert_close(mixed.clips, clips[:1])
        torch.testing.assert_close(mixed.distributions, labels[:1])
