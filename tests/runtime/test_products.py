"""One thread is one thread: whatever BLAS would share between cores stays with the thread that called."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from pianissimo.products import ALONE, product, product_into

# Every front end, a change of rate and the plain-array backend's product, on more than BLAS leaves to one thread.
WORK = """
import time
import numpy as np
import pianissimo as pp
from pianissimo import audio
from pianissimo.products import product
from pianissimo.resample import resample

common = {"sample_rate": 16_000, "frame": 400, "hop": 160, "fft": 512, "fmin": 20.0, "fmax": 7600.0, "mels": 64}
fronts = [
    pp.frontend.build({"kind": "log_mel", "seconds": 30.0, **common}),
    pp.frontend.build({"kind": "log_mel_sequence", **common}),
    pp.frontend.build({"kind": "mfcc", "frames": 900, "coefficients": 13, **common}),
    pp.frontend.build({"kind": "voice_statistics", "coefficients": 20, **common, "fft": 1024}),
]
rng = np.random.default_rng(1)
clip = rng.normal(0, 0.1, 30 * 16_000).astype(np.float32)
rows, weight = rng.normal(0, 1, (2, 600, 600)).astype(np.float32)

def work():
    for front in fronts:
        front(audio.prepare(clip, 16_000, 16_000, 60.0))
    resample(clip, 44_100, 16_000)
    product(rows, weight)

def cpu():
    return time.process_time() - time.thread_time()

work()
before, mine = cpu(), time.thread_time()
for _ in range(3):
    work()
print((cpu() - before) / (time.thread_time() - mine))
rows @ weight
before, mine = cpu(), time.thread_time()
for _ in range(200):
    rows @ weight
print((cpu() - before) / (time.thread_time() - mine))
"""


def test_no_other_thread_is_asked() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", WORK], env=environment, capture_output=True, text=True, check=True)
    others, others_of_blas = map(float, done.stdout.split())
    if others_of_blas < 0.1:
        pytest.skip("BLAS takes one thread here, whatever it is asked")
    assert others < 0.02


@pytest.mark.parametrize("rows", [1, 7, 300])
@pytest.mark.parametrize("shape", [(3, 2), (821, 32), (513, 600)])
def test_it_is_the_product(rows: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(rows)
    left, right = rng.normal(0, 1, (rows, shape[0])), rng.normal(0, 1, shape)
    np.testing.assert_allclose(product(left, right), left @ right, rtol=0, atol=1e-11)


def test_a_part_of_something_larger_is_filled_and_nothing_beside_it() -> None:
    rng = np.random.default_rng(2)
    left, right = rng.normal(0, 1, (ALONE // 64 + 3, 8)), rng.normal(0, 1, (8, 8))
    whole = np.zeros((len(left), 10))
    product_into(whole[:, 1:9], left, right)
    np.testing.assert_allclose(whole[:, 1:9], left @ right, rtol=0, atol=1e-12)
    assert not whole[:, [0, 9]].any()
