"""Max pools in two steps are max pools in one, in their gradients too, and networks of others take them."""

import pytest
import torch
from torch import nn

from models._blocks.pooling import MaxPool3d, in_two_pools, with_own_pools

NONE = (0, 0, 0)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [
        ((2, 3, 3), (2, 2, 2), (0, 1, 1)),
        ((3, 3, 3), (1, 1, 1), (1, 1, 1)),
        ((1, 3, 3), (1, 2, 2), NONE),
        ((2, 1, 1), (2, 1, 1), NONE),
    ],
)
@pytest.mark.parametrize("levels", [2, 5, 10**6], ids=["many ties", "ties", "no ties"])
def test_values_and_gradients_are_those_of_one_pool_also_where_values_are_equal(kernel, stride, padding, levels):
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(levels, (2, 3, 8, 9, 10), generator=generator).float().mul_(-1)
    one, two = (values.clone().requires_grad_() for _ in range(2))
    pooled = nn.functional.max_pool3d(one, kernel, stride, padding)
    own = in_two_pools(two, kernel, stride, padding)
    assert torch.equal(own, pooled)
    weights = torch.rand(pooled.shape, generator=generator).mul_(64).round_()  # whole, so that sums are exact
    (pooled * weights).sum().backward()
    (own * weights).sum().backward()
    assert torch.equal(two.grad, one.grad)


def test_pools_of_a_network_of_others_are_replaced_with_their_settings_and_nothing_else():
    inner = nn.Sequential(nn.ReLU(), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
    network = nn.Sequential(nn.MaxPool3d(3, 2, 1), inner)
    clips = torch.rand(1, 2, 6, 12, 12, generator=torch.Generator().manual_seed(0))
    before = network(clips)
    assert with_own_pools(network) is network
    parts = [type(part) for part in network.modules() if not isinstance(part, nn.Sequential)]
    assert parts == [MaxPool3d, nn.ReLU, MaxPool3d]
    assert torch.equal(network(clips), before)
