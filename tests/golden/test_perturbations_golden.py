"""What every perturbation makes of a probe clip, at every severity, in this suite version.

The recorded values come from other processes and other machines, so they also show that nothing depends on either.
Changing one on purpose takes a new SUITE_VERSION, and then

    python tests/golden/test_perturbations_golden.py

Exact perturbations are held by the hash of their bytes. Those that pass through a codec, a Fourier transform or a
kornia module are held by block means within one 8-bit level, because libraries may round differently.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool3d

from perturbations._apply import SUITE_VERSION, key, perturb
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import load, suite, suites

FILE = Path(__file__).with_name("perturbations.json")
GOLDEN = json.loads(FILE.read_text()) if FILE.exists() else {"suite_version": None, "perturbations": {}}
CLIP = moving_clip(ClipShape(frames=16, height=32, width=28))[None]
ROUNDED_BY_LIBRARIES = {
    "bad_call",
    "combined_webcam",
    "fourier_amplitude_mix",
    "fourier_low_freq_swap",
    "h264_abr",
    "h264_crf",
    "jpeg",
    "jpeg_compression",
    "snow",
    "spatter",
    "spot_light",
    "style_statistics_lab",
}


def results(name):
    """One hash, or one list of eight block means, for each severity."""
    member = load(name)
    spoilt = [perturb(CLIP, member, severity, [key(name, severity, "golden", 0)]) for severity in range(1, 6)]
    if name.split(".")[-1] in ROUNDED_BY_LIBRARIES:
        means = [adaptive_avg_pool3d(clip[0].transpose(0, 1).float(), (2, 2, 2)).mean(0) for clip in spoilt]
        return [[round(value, 2) for value in mean.flatten().tolist()] for mean in means]
    return [hashlib.sha256(clip.numpy().tobytes()).hexdigest()[:16] for clip in spoilt]


def test_the_golden_values_are_of_this_suite_version():
    assert GOLDEN["suite_version"] == SUITE_VERSION


@pytest.mark.parametrize("name", GOLDEN["perturbations"])
def test_a_probe_clip_is_spoilt_as_it_ever_was(name):
    compare(results(name), GOLDEN["perturbations"][name])


def test_a_processor_without_vector_instructions_spoils_it_alike():
    """torch has other kernels for it: other loops, other elementary functions."""
    code = "import test_perturbations_golden as here; here.tell()"
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": "default", "PYTHONPATH": str(FILE.parent)}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=300
    )
    capability, found = json.loads(told.stdout)
    assert capability == "DEFAULT"
    assert found.keys() == GOLDEN["perturbations"].keys()
    for name, values in found.items():
        compare(values, GOLDEN["perturbations"][name])


def compare(found, recorded):
    """Hashes are the same; block means are within a level."""
    for now, before in zip(found, recorded, strict=True):
        assert now == (before if isinstance(before, str) else pytest.approx(before, abs=1))


def tell():
    """Print what this process makes of the probe clip, and by which kernels."""
    found = {name: results(name) for name in GOLDEN["perturbations"]}
    sys.stdout.write(json.dumps([torch.backends.cpu.get_cpu_capability(), found]))


def test_every_perturbation_of_every_suite_has_a_golden_value():
    assert names() == sorted(GOLDEN["perturbations"])


def names():
    """Every perturbation of every suite, variants at published levels included."""
    return sorted({name for each in suites() for name in suite(each).names})


def write():
    """Record this suite version; a change under an old version is refused."""
    torch.set_num_threads(1)
    now = {name: results(name) for name in names()}
    changed = [name for name, values in GOLDEN["perturbations"].items() if now.get(name) != values]
    if changed and GOLDEN["suite_version"] == SUITE_VERSION:
        raise SystemExit(f"raise SUITE_VERSION first: {', '.join(changed)} changed")
    rows = [f'    "{name}": {json.dumps(values)}' for name, values in now.items()]
    text = f'{{\n  "suite_version": "{SUITE_VERSION}",\n  "perturbations": {{\n' + ",\n".join(rows) + "\n  }\n}\n"
    FILE.write_text(text)


if __name__ == "__main__":
    write()
