"""Shared fixtures: shapes checked at run time, global generators left alone, real clips where a machine has them."""

import os
import random
from pathlib import Path

from jaxtyping import install_import_hook

# beartype picks the items of a container that it checks with random.getrandbits; bind it to a generator of its own,
# so that checking a type is not mistaken for drawing from the global generator.
_shared_getrandbits = random.getrandbits
random.getrandbits = random.Random(0).getrandbits
import beartype  # noqa: E402, F401

random.getrandbits = _shared_getrandbits
install_import_hook(["harness", "models", "perturbations"], "beartype.beartype")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

torch.set_num_threads(1)

settings.register_profile("no deadline", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def global_generators_are_left_alone(request):
    """Every draw names its generator: a test fails if its code draws from a global one (mark: uses_global_rng)."""
    if request.node.get_closest_marker("uses_global_rng"):
        yield
        return
    before = _global_states()
    yield
    changed = [name for name, state in _global_states().items() if state != before[name]]
    assert not changed, f"the global generator of {', '.join(changed)} was used"


def _global_states() -> dict[str, object]:
    kind, keys, position, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "random": hash(random.getstate()),
        "numpy": (kind, keys.tobytes(), position, *rest),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The clips of ``tiny_unit``, packed in a cache of the module's own."""
    from tiny_unit import make_clips

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DFERBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield make_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips beside the repository (``DFERBENCH_TEST_DATA``); skips where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("DFERBENCH_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real clips are not on this machine ({folder}); set DFERBENCH_TEST_DATA to use them")
    return folder


@pytest.fixture(scope="session")
def london(shared_data: Path) -> Path:
    """408 real-texture clips of two classes in DFEW's layout."""
    folder = shared_data / "london_dfew"
    if not folder.is_dir():
        pytest.skip(f"the London clips are not at {folder}")
    return folder
