"""The counter-based generator: against published SplitMix64 output, plain integers and the laws of chance."""

import pytest
import torch
from scipy import stats

from perturbations import _random
from perturbations._random import Draws

MASK = (1 << 64) - 1
KEYS = torch.tensor([0, 1, 2**63 - 1, 123456789])
STATE_GAMMA = 0x9E3779B97F4A7C15


def splitmix64(seed, count):
    """The reference algorithm, written out once more."""
    words = []
    for _ in range(count):
        seed = (seed + STATE_GAMMA) & MASK
        word = seed
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
        words.append(word ^ (word >> 31))
    return words


def test_the_finaliser_gives_the_published_splitmix64_sequence():
    states = [(1234567 + STATE_GAMMA * step) & MASK for step in range(1, 4)]
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [_random.mix(state) for state in states] == published


@pytest.mark.parametrize("stream", [0, 7])
def test_fields_are_splitmix64_in_plain_integers(stream):
    for row, key in zip(_random.words(KEYS, stream, 50), KEYS.tolist(), strict=True):
        seed = _random.mix((key ^ _random.mix(stream + 1)) & MASK)
        assert [word & MASK for word in row.tolist()] == splitmix64(seed, 50)


def test_the_draws_of_a_key_are_the_words_of_its_field():
    draws = Draws(123456789, stream=3)
    assert [draws.word() for _ in range(5)] == [word & MASK for word in _random.words(KEYS[3:], 3, 5)[0].tolist()]


def test_a_field_does_not_depend_on_the_keys_beside_it():
    together = _random.normal(KEYS, 1, (3, 5, 7))
    for index in range(len(KEYS)):
        assert torch.equal(_random.normal(KEYS[index : index + 1], 1, (3, 5, 7))[0], together[index])


def test_a_shorter_field_is_the_beginning_of_a_longer_one():
    assert torch.equal(_random.uniform(KEYS, 0, (10,)), _random.uniform(KEYS, 0, (33,))[:, :10])


def test_streams_and_neighbouring_keys_are_uncorrelated():
    fields = [_random.normal(torch.tensor([key]), stream, (20000,))[0] for key in (8, 9) for stream in (0, 1)]
    correlation = torch.corrcoef(torch.stack(fields)) - torch.eye(4)
    assert correlation.abs().max() < 0.04


@pytest.mark.parametrize(
    ("field", "law"),
    [
        (_random.uniform(torch.tensor([5]), 0, (40000,)), stats.uniform()),
        (_random.normal(torch.tensor([5]), 0, (40000,)), stats.norm()),
        (_random.bits16(torch.tensor([5]), 0, (40000,)), stats.uniform(-32768, 65536)),
    ],
)
def test_a_field_follows_its_law(field, law):
    assert stats.kstest(field[0].double().numpy(), law.cdf).pvalue > 0.001


def test_integers_are_uniform_over_their_range():
    drawn = _random.integers(torch.tensor([5]), 0, (30000,), 7)[0]
    assert stats.chisquare(torch.bincount(drawn, minlength=7).numpy()).pvalue > 0.001


def test_scalar_draws_follow_their_laws():
    draws = Draws(11)
    assert stats.kstest([draws.uniform(2, 5) for _ in range(4000)], stats.uniform(2, 3).cdf).pvalue > 0.001
    assert stats.kstest([draws.normal() for _ in range(4000)], stats.norm.cdf).pvalue > 0.001
    assert abs(sum(draws.sign() for _ in range(4000))) < 250
    assert {draws.integer(3) for _ in range(100)} == {0, 1, 2}


def test_a_subset_has_its_size_and_no_repeats():
    for size in range(8):
        subset = Draws(size).subset(7, size)
        assert len(set(subset)) == size
        assert subset == sorted(subset)
