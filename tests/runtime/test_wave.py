"""The wave front end hands a network the clip as Hugging Face's extractor does."""

from __future__ import annotations

import numpy as np
import pianissimo as pp
import pytest

SPEC = {"kind": "wave", "sample_rate": 16000}
TOLERANCE = 1e-5


@pytest.mark.parametrize("samples", [16, 400, 16_001])
@pytest.mark.parametrize("loudness", [1e-4, 0.3])
def test_equals_the_extractor(samples: int, loudness: float) -> None:
    transformers = pytest.importorskip("transformers")
    clip = np.random.default_rng(3).normal(0.05 * loudness, loudness, samples).astype(np.float32)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, sampling_rate=16000)
    expected = extractor(clip, sampling_rate=16000).input_values[0]
    features = pp.frontend.build(SPEC)(clip)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=TOLERANCE)


def test_mean_and_variance() -> None:
    features = pp.frontend.build(SPEC)(np.random.default_rng(4).normal(0.2, 0.1, 5000).astype(np.float32))
    assert features.shape == (5000,)
    assert features.mean() == pytest.approx(0, abs=1e-6)
    assert features.std() == pytest.approx(1, abs=1e-4)


def test_silence_stays_silence() -> None:
    np.testing.assert_array_equal(pp.frontend.build(SPEC)(np.full(100, 0.5, np.float32)), np.zeros(100, np.float32))


def test_the_clip_is_not_touched() -> None:
    clip = np.linspace(-1, 1, 100, dtype=np.float32)
    kept = clip.copy()
    pp.frontend.build(SPEC)(clip)
    np.testing.assert_array_equal(clip, kept)


def test_spec_and_shape() -> None:
    front = pp.frontend.build(SPEC)
    assert (front.spec, front.shape) == (SPEC, (None,))
    assert pp.frontend.build(front.spec) == front == front.fitted([np.zeros(3, np.float32)])


@pytest.mark.parametrize(("changes", "key"), [({"sample_rate": 1}, "sample_rate"), ({"mean": 0.0}, "keys")])
def test_refuses(changes: dict[str, float], key: str) -> None:
    with pytest.raises(pp.FrontEndError) as caught:
        pp.frontend.build({**SPEC, **changes})
    assert caught.value.key == key
