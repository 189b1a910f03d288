"""Products in single precision, whose warnings are not to be believed."""

import numpy as np
import pytest

from harness.stats.products import product


@pytest.mark.parametrize("columns", [(), (3,)])
def test_a_product_is_that_of_numpy(columns):
    generator = np.random.default_rng(0)
    left = generator.integers(9, size=(4, 5)).astype(np.float32)
    right = generator.integers(9, size=(5, *columns)).astype(np.float32)
    assert np.array_equal(product(left, right), left.astype(int) @ right.astype(int))


def test_the_flag_of_an_invalid_operation_is_no_warning_and_its_result_is_kept():
    opposite = np.array([np.inf, -np.inf], dtype=np.float32)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(np.ones((1, 2), dtype=np.float32) @ opposite).all()
    assert np.isnan(product(np.ones((1, 2), dtype=np.float32), opposite)).all()
