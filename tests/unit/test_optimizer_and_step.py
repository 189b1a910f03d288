"""Optimisation steps, against the definitions of the methods worked out by hand on a small problem."""

import pytest
import torch
from torch import Tensor, nn

from harness.objectives._contract import LossParts, TrainState
from harness.spec.method import OptimizerSpec, SamSpec
from harness.train.isolation import deterministic
from harness.train.optimizer import build_optimizer, needs_second_pass, set_learning_rate
from harness.train.step import Diverged, Stepper, statistics_frozen
from models._blocks.model import Output

RATE, RHO = 0.1, 0.3
CLIPS = torch.rand(6, 2, 3, 2, 2, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


class Network(nn.Module):
    """A linear classifier of flattened clips, with batch normalisation and dropout if wanted."""

    def __init__(self, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(24) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.utils.skip_init(nn.Linear, 24, 3)
        with torch.no_grad():
            self.linear.weight.copy_(torch.randn(3, 24, generator=torch.Generator().manual_seed(1)))
            self.linear.bias.zero_()

    def forward(self, clips: Tensor) -> Output:
        features = self.dropout(self.norm(clips.flatten(1)))
        return Output(self.linear(features), features)


class Loss(nn.Module):
    """Cross-entropy times the factor given, remembering what it was told."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor
        self.told: list[float | None] = []

    def forward(self, logits: Tensor, features: Tensor, labels: Tensor, state: TrainState) -> LossParts:
        self.told.append(None if state.gradient_norm is None else state.gradient_norm.item())
        loss = self.factor * nn.functional.cross_entropy(logits, labels)
        return LossParts(loss, {"half": loss.detach() / 2})


def stepper(network: nn.Module, sam: str | None = None, loss: Loss | None = None, **settings) -> Stepper:
    base = settings.pop("base", "sgd")
    batch_norm = settings.pop("batch_norm", "frozen")
    spec = OptimizerSpec(
        name=base,
        learning_rate=RATE,
        weight_decay=0.0,
        momentum=0.0,
        sam=SamSpec(name=sam, rho=RHO, batch_norm=batch_norm) if sam else None,
    )
    return Stepper(network, loss or Loss(), build_optimizer(network.parameters(), spec), spec, **settings)


def flat(network: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()]).clone()


def gradient(weights: Tensor) -> Tensor:
    """Of the cross-entropy of the linear classifier at flattened weights."""
    weights = weights.clone().requires_grad_()
    logits = CLIPS.flatten(1) @ weights[:72].view(3, 24).T + weights[72:]
    (result,) = torch.autograd.grad(nn.functional.cross_entropy(logits, LABELS), weights)
    return result


def take(made: Stepper, steps: int = 1) -> list:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return [made.step(CLIPS, LABELS, TrainState()) for _ in range(steps)]


def test_plain_descent_moves_against_the_gradient():
    network = Network()
    before = flat(network)
    (report,) = take(stepper(network))
    torch.testing.assert_close(flat(network), before - RATE * gradient(before))
    assert report.gradient_norm == pytest.approx(gradient(before).norm().item(), rel=1e-5)
    assert report.parts["half"] == pytest.approx(report.loss / 2)


def test_sam_steps_with_the_gradient_found_uphill():
    network = Network()
    before = flat(network)
    take(stepper(network, "sam"))
    g = gradient(before)
    torch.testing.assert_close(flat(network), before - RATE * gradient(before + RHO * g / g.norm()))


def test_asam_climbs_further_along_larger_weights():
    network = Network()
    before = flat(network)
    take(stepper(network, "asam"))
    g = gradient(before)
    climb = RHO * before**2 * g / (before.abs() * g).norm()
    torch.testing.assert_close(flat(network), before - RATE * gradient(before + climb))


def test_gsam_takes_off_the_part_of_the_first_gradient_that_the_second_lacks():
    network = Network()
    before = flat(network)
    take(stepper(network, "gsam"))
    g = gradient(before)
    uphill = gradient(before + RHO * g / g.norm())
    orthogonal = g - (g @ uphill) / uphill.square().sum() * uphill
    torch.testing.assert_close(flat(network), before - RATE * (uphill - 0.4 * orthogonal))


def test_friendly_sam_climbs_along_what_the_running_gradient_lacks():
    network = Network()
    before = flat(network)
    made = stepper(network, "friendly_sam")
    take(made)
    g0 = gradient(before)
    torch.testing.assert_close(flat(network), before - RATE * gradient(before + RHO * g0 / g0.norm()))
    second = flat(network)
    take(made)
    climb = gradient(second) - g0
    torch.testing.assert_close(
        flat(network), second - RATE * gradient(second + RHO * climb / climb.norm()), rtol=1e-4, atol=1e-5
    )


def test_looksam_makes_one_pass_between_full_steps_and_reuses_the_orthogonal_part():
    network, loss = Network(), Loss()
    before = flat(network)
    made = stepper(network, "looksam", loss)
    take(made)
    g = gradient(before)
    uphill = gradient(before + RHO * g / g.norm())
    second = flat(network)
    torch.testing.assert_close(second, before - RATE * uphill)
    assert len(loss.told) == 2
    assert not needs_second_pass(made.optimizer)
    take(made)
    assert len(loss.told) == 3
    expected = gradient(second).clone()
    for part in (slice(0, 72), slice(72, 75)):
        along = g[part] / g[part].norm()
        reused = uphill[part] - (uphill[part] @ along) * along
        own = gradient(second)[part]
        expected[part] = own + 0.7 * own.norm() * reused / reused.norm()
    torch.testing.assert_close(flat(network), second - RATE * expected, rtol=1e-4, atol=1e-5)
    take(made, 8)
    assert needs_second_pass(made.optimizer)


@pytest.mark.parametrize("sam", [None, "sam", "asam", "gsam", "looksam", "friendly_sam"])
@pytest.mark.parametrize("base", ["adamw", "adam", "sgd"])
def test_every_pairing_learns_the_batch_by_heart(sam, base):
    network = Network()
    reports = take(stepper(network, sam, base=base), 40)
    assert reports[-1].loss < 0.5 * reports[0].loss


@pytest.mark.parametrize("sam", ["sam", "asam", "gsam", "friendly_sam"])
def test_the_second_pass_is_told_the_first_one_s_norm_and_so_is_the_next_step(sam):
    loss = Loss()
    reports = take(stepper(Network(), sam, loss), 2)
    norms = [report.gradient_norm for report in reports]
    assert loss.told == pytest.approx([None, norms[0], norms[0], norms[1]])


def test_without_sam_a_step_is_told_the_norm_of_the_step_before():
    loss = Loss()
    reports = take(stepper(Network(), None, loss), 3)
    assert loss.told == pytest.approx([None, reports[0].gradient_norm, reports[1].gradient_norm])


@pytest.mark.parametrize("sam", [None, "sam", "gsam", "looksam", "friendly_sam"])
def test_clipping_shortens_the_step_and_keeps_its_direction(sam):
    free, clipped = Network(), Network()
    before = flat(free)
    take(stepper(free, sam))
    (report,) = take(stepper(clipped, sam, clip_gradient=0.01))
    free_move, clipped_move = flat(free) - before, flat(clipped) - before
    assert clipped_move.norm().item() == pytest.approx(RATE * 0.01, rel=1e-3)
    assert torch.cosine_similarity(free_move, clipped_move, dim=0).item() == pytest.approx(1, abs=1e-4)
    assert report.gradient_norm > 0.01


def test_a_gradient_below_the_clip_is_left_alone():
    free, clipped = Network(), Network()
    take(stepper(free), 3)
    take(stepper(clipped, clip_gradient=1e6), 3)
    assert torch.equal(flat(free), flat(clipped))


@pytest.mark.parametrize(("batch_norm", "updates"), [("frozen", 1), ("updated", 2)])
def test_running_statistics_are_updated_once_or_twice_as_asked(batch_norm, updates):
    network = Network(norm=True)
    take(stepper(network, "sam", batch_norm=batch_norm))
    mean = CLIPS.flatten(1).mean(0)
    torch.testing.assert_close(network.norm.running_mean, (1 - 0.9**updates) * mean)
    assert network.norm.num_batches_tracked.item() == updates
    assert network.norm.track_running_stats


def test_frozen_statistics_still_normalise_by_the_batch():
    norm = nn.BatchNorm1d(24)
    values = CLIPS.flatten(1)
    with statistics_frozen(norm, frozen=True):
        got = norm(values)
    torch.testing.assert_close(got.mean(0), torch.zeros(24), rtol=0, atol=1e-5)
    assert torch.equal(norm.running_mean, torch.zeros(24))


def test_the_report_is_of_the_unperturbed_weights():
    plain, sharp = Network(), Network()
    (one,) = take(stepper(plain))
    (other,) = take(stepper(sharp, "sam"))
    assert one.loss == other.loss
    assert torch.equal(one.logits, other.logits)
    assert not other.logits.requires_grad


@pytest.mark.parametrize("sam", [None, "sam"])
def test_a_loss_that_is_not_finite_stops_training_with_its_step_named(sam):
    network, loss = Network(), Loss()
    made = stepper(network, sam, loss)
    take(made)
    before = flat(network)
    loss.factor = float("nan")
    with pytest.raises(Diverged, match="at step 1") as caught:
        take(made)
    assert caught.value.step == 1
    assert caught.value.value != caught.value.value
    assert torch.equal(flat(network), before)


@pytest.mark.parametrize("sam", [None, "sam", "gsam", "looksam", "friendly_sam"])
def test_the_learning_rate_reaches_the_optimiser_that_steps(sam):
    network = Network()
    made = stepper(network, sam)
    set_learning_rate(made.optimizer, 0.0)
    before = flat(network)
    take(made)
    torch.testing.assert_close(flat(network), before)


@pytest.mark.parametrize("sam", [None, "sam", "looksam"])
def test_the_same_seed_gives_the_same_training_with_dropout(sam):
    one, other = Network(norm=True, dropout=0.5), Network(norm=True, dropout=0.5)
    assert take(stepper(one, sam), 4)[-1].loss == take(stepper(other, sam), 4)[-1].loss
    assert torch.equal(flat(one), flat(other))


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_convolutions_take_tf32_forwards_and_backwards_where_the_spec_says_so_and_nowhere_else(precision):
    backend, seen = torch.backends.cudnn, []

    class Watched(Network):
        def forward(self, clips):
            output = super().forward(clips)
            seen.append(backend.allow_tf32)
            output.logits.register_hook(lambda gradient: seen.append(backend.allow_tf32))
            return output

    with deterministic(torch.device("cpu")):
        take(stepper(Watched(), precision=precision))
        assert not backend.allow_tf32
    assert seen == [precision == "tf32"] * 2


def test_half_precision_keeps_the_loss_and_the_weights_in_single_precision():
    network = Network()
    (exact,) = take(stepper(Network()))
    (rough,) = take(stepper(network, precision="bfloat16"))
    assert rough.loss == pytest.approx(exact.loss, rel=0.05)
    assert rough.loss != exact.loss
    assert rough.logits.dtype == torch.float32
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
