"""The log-mel front end gives librosa's numbers, and refuses what it cannot compute."""

from __future__ import annotations

import pickle
from typing import Any

import librosa
import numpy as np
import pianissimo as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SPEC: dict[str, Any] = {
    "kind": "log_mel",
    "sample_rate": 16000,
    "seconds": 1.0,
    "frame": 480,
    "hop": 320,
    "fft": 512,
    "mels": 40,
    "fmin": 20.0,
    "fmax": 4000.0,
    "floor": 1e-6,
    "mean": 0.0,
    "deviation": 1.0,
}
TOLERANCE = 1e-4


def librosa_log_mel(clip: np.ndarray, spec: dict[str, Any]) -> np.ndarray:
    """The same features by librosa; in double precision, as its float32 spectrum is no oracle near the floor.

    librosa frames by fft and centres the window in it, so the clip is shifted by the window's offset.
    """
    offset = (spec["fft"] - spec["frame"]) // 2
    padded = np.pad(clip.astype(np.float64), (offset, spec["fft"]))
    spectrum = librosa.stft(
        padded,
        n_fft=spec["fft"],
        hop_length=spec["hop"],
        win_length=spec["frame"],
        center=False,
        dtype=np.complex128,
    )
    filters = librosa.filters.mel(
        sr=spec["sample_rate"], n_fft=spec["fft"], n_mels=spec["mels"], fmin=spec["fmin"], fmax=spec["fmax"]
    )
    frames = 1 + (len(clip) - spec["frame"]) // spec["hop"]
    energies = filters.astype(np.float64) @ np.abs(spectrum[:, :frames]) ** 2
    return ((np.log(energies + spec["floor"]) - spec["mean"]) / spec["deviation"]).T


def clip_for(spec: dict[str, Any], seed: int = 0) -> np.ndarray:
    """A falling tone in a little noise: loud bins beside quiet ones."""
    samples = round(spec["seconds"] * spec["sample_rate"])
    time = np.arange(samples) / spec["sample_rate"]
    tone = 0.5 * np.sin(2 * np.pi * (2000 - 800 * time) * time)
    return (tone + np.random.default_rng(seed).normal(0, 1e-3, samples)).astype(np.float32)


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sample_rate": 8000, "frame": 256, "hop": 128, "fft": 256, "fmax": 4000.0},
        {
            "sample_rate": 22050,
            "seconds": 2.0,
            "frame": 2048,
            "hop": 512,
            "fft": 2048,
            "mels": 128,
            "fmin": 0.0,
            "fmax": 11025.0,
        },
        {"sample_rate": 48000, "seconds": 0.5, "frame": 1200, "hop": 960, "fft": 2048, "mels": 64, "fmax": 20000.0},
        {"frame": 400, "hop": 160, "mels": 80, "mean": -4.0, "deviation": 3.5, "floor": 1e-10},
    ],
)
def test_equals_librosa(changes: dict[str, Any]) -> None:
    spec = {**SPEC, **changes}
    clip = clip_for(spec)
    front = pp.frontend.build(spec)
    features = front(clip)
    assert features.shape == front.shape
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, librosa_log_mel(clip, spec), atol=TOLERANCE)


@pytest.mark.filterwarnings("ignore:Empty filters")
@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from([8000, 16000, 22050, 44100]),
    fft=st.integers(6, 11).map(lambda power: 2**power),
    part=st.floats(0.3, 1.0),
    step=st.floats(0.1, 1.5),
    mels=st.integers(4, 32),
    top=st.floats(0.3, 1.0),
    seed=st.integers(0, 100),
)
def test_equals_librosa_whatever_the_settings(
    rate: int, fft: int, part: float, step: float, mels: int, top: float, seed: int
) -> None:
    frame = 2 * max(1, int(fft * part / 2))  # even, so that librosa's centring has no half sample
    spec = {
        **SPEC,
        "sample_rate": rate,
        "seconds": 0.5,
        "fft": fft,
        "frame": frame,
        "hop": max(1, int(frame * step)),
        "mels": mels,
        "fmax": top * rate / 2,
    }
    clip = clip_for(spec, seed)
    np.testing.assert_allclose(pp.frontend.build(spec)(clip), librosa_log_mel(clip, spec), atol=TOLERANCE)


@pytest.mark.parametrize("samples", [15_999, 16_001, 1_000, 40_001])
def test_crops_and_pads_about_the_centre(samples: int) -> None:
    clip = np.random.default_rng(1).normal(0, 0.1, samples).astype(np.float32)
    front = pp.frontend.build(SPEC)
    whole = librosa.util.fix_length(clip, size=max(samples, 16_000))
    before = abs(samples - 16_000) // 2
    expected = whole[before : before + 16_000] if samples > 16_000 else np.pad(clip, (before, 16_000))[:16_000]
    np.testing.assert_array_equal(front(clip), front(expected.astype(np.float32)))


def test_silence_is_the_floor() -> None:
    features = pp.frontend.build(SPEC)(np.zeros(16_000, np.float32))
    np.testing.assert_allclose(features, np.log(1e-6), rtol=1e-6)


def test_spec_makes_the_same_front_end() -> None:
    front = pp.frontend.build({key: value for key, value in SPEC.items() if key not in ("floor", "mean")})
    assert front.spec == SPEC
    assert pp.frontend.build(front.spec) == front


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"kind": "mfccs"}, "kind", "log_mel"),
        ({"kind": None}, "kind", "log_mel"),
        ({"window": "hann"}, "keys", "deviation"),
        ({"frame": 600}, "frame", "2 to 512"),
        ({"frame": 480.0}, "frame", "whole"),
        ({"hop": 0}, "hop", "1 to"),
        ({"hop": True}, "hop", "whole"),
        ({"fft": 1_000_000}, "fft", "32768"),
        ({"mels": 0}, "mels", "1 to"),
        ({"fmax": 9000.0}, "fmax", "half the sample rate"),
        ({"fmin": 4000.0}, "fmin", "below fmax"),
        ({"seconds": float("nan")}, "seconds", "finite"),
        ({"seconds": 1e9}, "seconds", "60"),
        ({"sample_rate": 100}, "sample_rate", "4000"),
        ({"deviation": 0.0}, "deviation", "1e-06"),
        ({"floor": 0}, "floor", "1e-30"),
    ],
)
def test_refuses(changes: dict[str, Any], key: str, allowed: str) -> None:
    with pytest.raises(pp.FrontEndError, match=allowed) as caught:
        pp.frontend.build({**SPEC, **changes})
    assert caught.value.key == key


def test_names_a_missing_key() -> None:
    with pytest.raises(pp.FrontEndError, match="hop: found nothing"):
        pp.frontend.build({key: value for key, value in SPEC.items() if key != "hop"})


def test_a_front_end_travels_to_a_worker_process() -> None:
    front = pp.frontend.build(SPEC)
    features = front(clip_for(SPEC))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(front))(clip_for(SPEC)), features)


def test_answers_do_not_share_memory() -> None:
    front = pp.frontend.build(SPEC)
    first = front(clip_for(SPEC))
    kept = first.copy()
    front(np.zeros(16_000, np.float32))
    np.testing.assert_array_equal(first, kept)
