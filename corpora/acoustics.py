"""What happens to a voice before it is a recording: noise, room, distance, microphone; numpy alone.

All signals are float32 of shape (samples,); levels are in dB relative to full scale (RMS of a signal at ±1: 0 dBFS).
Whatever is random takes a numpy Generator, so a seed tells everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from corpora.audio import Audio
from corpora.errors import CorpusError

Signal = NDArray[np.floating[Any]]  # what comes in; what goes out is Audio, float32

# Power falls with frequency as f to the minus this: the usual names of noise.
COLOURS: Mapping[str, float] = MappingProxyType({"white": 0.0, "pink": 1.0, "brown": 2.0})
QUIET = 1e-8


def coloured_noise(samples: int, colour: str, rng: Generator) -> Audio:
    """White, pink or brown noise of unit RMS, shaped in the frequency domain (Timmer and König, 1995)."""
    if colour not in COLOURS:
        raise CorpusError(f"unknown colour {colour!r}", place="noise", allowed=", ".join(COLOURS))
    # Below bin 4 the shape is flat: brown noise would else be one slow swing, which no microphone passes.
    bins = np.maximum(np.arange(samples // 2 + 1), 4)
    spectrum = np.fft.rfft(rng.standard_normal(samples)) * bins ** (-COLOURS[colour] / 2)
    spectrum[0] = 0
    return _unit(np.fft.irfft(spectrum, samples))


def hum(samples: int, rate: int, rng: Generator) -> Audio:
    """Mains hum of unit RMS: 50 or 60 Hz and seven harmonics of random strength, over a little pink noise."""
    mains = rng.choice([50.0, 60.0]) * rng.uniform(0.998, 1.002)
    orders = np.arange(1, 9)[:, None]
    phases = 2 * np.pi * (orders * mains * np.arange(samples) / rate + rng.uniform(size=(8, 1)))
    strengths = rng.uniform(0.1, 1.0, (8, 1)) / orders**0.7
    return _unit((strengths * np.sin(phases)).sum(axis=0) + 0.1 * coloured_noise(samples, "pink", rng))


def babble(voices: Sequence[Audio], samples: int, rng: Generator, talkers: int = 6) -> Audio:
    """Talk in the background, of unit RMS: `talkers` strings of the given recordings, each at its own level."""
    total = np.zeros(samples)
    for _ in range(talkers):
        level, at = 10 ** (rng.uniform(-9, 0) / 20), -int(rng.integers(0, samples))
        while at < samples:
            voice = voices[int(rng.integers(len(voices)))]
            start, stop = max(at, 0), min(at + len(voice), samples)
            total[start : max(stop, start)] += level * voice[start - at : max(stop, start) - at]
            at += len(voice) + int(rng.integers(0, 2_000))
    return _unit(total)


def breath(samples: int, rate: int, rng: Generator) -> Audio:
    """A breath of unit RMS: noise between 300 Hz and 2-5 kHz that swells and fades over 0.25-0.7 s, zero elsewhere."""
    length = min(samples, int(rng.uniform(0.25, 0.7) * rate))
    spectrum = np.fft.rfft(rng.standard_normal(length))
    pitches = np.fft.rfftfreq(length, 1 / rate)
    spectrum *= 1 / (1 + (300 / np.maximum(pitches, 1)) ** 4) / (1 + (pitches / rng.uniform(2_000, 5_000)) ** 4)
    swell = np.sin(np.pi * np.linspace(0, 1, length) ** rng.uniform(0.5, 1.5)) ** 2
    return _unit(place(np.fft.irfft(spectrum, length) * swell, samples, rng))


def clicks(samples: int, rate: int, rng: Generator) -> Audio:
    """One to six clicks of unit RMS together: each a decaying ring of 0.5-5 ms at 1-6 kHz."""
    total = np.zeros(samples)
    for at in rng.integers(0, samples, rng.integers(1, 7)):
        times = np.arange(min(samples - at, rate // 20)) / rate
        ring = np.exp(-times / rng.uniform(0.0005, 0.005)) * np.cos(2 * np.pi * rng.uniform(1_000, 6_000) * times)
        total[at : at + len(times)] += rng.uniform(0.2, 1.0) * ring
    return _unit(total)


def room_response(rate: int, reverberation: float, distance: float, rng: Generator) -> Audio:
    """An impulse response: the direct sound, six early reflections within 25 ms, and a tail of decaying noise.

    `reverberation` is RT60 in seconds (the tail has fallen by 60 dB), `distance` the tail's energy against the direct
    sound's, as an amplitude. After Moorer, "About this reverberation business", 1979.
    """
    samples = max(int(reverberation * rate), rate // 40)
    times = np.arange(samples) / rate
    tail = rng.standard_normal(samples) * np.exp(-np.log(1_000) * times / max(reverberation, 0.01))
    tail[: rate // 200] = 0  # nothing but the direct sound reaches the microphone in the first 5 ms
    response = distance * tail / max(float(np.sqrt((tail**2).sum())), QUIET)
    early = rng.integers(rate // 400, rate // 40, 6)
    response[early] += distance * rng.uniform(0.1, 0.5, 6) * rng.choice([-1, 1], 6)
    response[0] = 1.0
    taps: Audio = response.astype(np.float32)
    return taps


def reverberate(audio: Signal, response: Signal) -> Audio:
    """Hear a sound in a room: (samples,) and (taps,) give (samples + taps - 1,), at the loudness it had."""
    samples = len(audio) + len(response) - 1
    size = 1 << (samples - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)[:samples]
    return to_loudness(wet, loudness(audio))


def tilt(audio: Signal, rate: int, slope: float) -> Audio:
    """Colour a sound as a microphone does: `slope` dB an octave about 1 kHz, held level below 100 Hz."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(audio), 1 / rate), 100) / 1_000)
    tilted = np.fft.irfft(np.fft.rfft(audio) * 10 ** (slope * octaves / 20), len(audio))
    return to_loudness(tilted, loudness(audio))


def loudness(audio: Signal) -> float:
    """RMS in dBFS of the part that sounds: frames of 256 samples within 40 dB of the loudest; silence is -160."""
    frames = np.append(audio, np.zeros(-len(audio) % 256, np.float32)).reshape(-1, 256)
    powers = (frames.astype(np.float64) ** 2).mean(axis=1)
    sounding = powers[powers >= max(powers.max(initial=0.0) * 1e-4, QUIET**2)]
    return float(10 * np.log10(max(sounding.mean() if len(sounding) else 0.0, QUIET**2)))


def to_loudness(audio: Signal, level: float) -> Audio:
    """Scale a sound to `level` dBFS by `loudness`; silence stays silence."""
    gain = 10 ** ((level - loudness(audio)) / 20) if np.any(audio) else 1.0
    return (audio * gain).astype(np.float32)


def mix(voice: Audio, noise: Audio, snr: float) -> Audio:
    """Add noise so that the voice's sounding part is `snr` dB above it; both are (samples,)."""
    if voice.shape != noise.shape:
        raise CorpusError(f"shapes {voice.shape} and {noise.shape}", place="mix", allowed="two signals of one length")
    return voice + to_loudness(noise, loudness(voice) - snr)


def place(sound: Signal, samples: int, rng: Generator, margin: int = 0) -> Audio:
    """Put a sound at a random place in a window of `samples`, `margin` samples off its edges where it fits.

    What is longer than the window keeps its beginning, where a word is.
    """
    room = samples - len(sound)
    margin = min(margin, max(room, 0) // 2)
    at = int(rng.integers(margin, max(room - margin, margin) + 1))
    window = np.zeros(samples, np.float32)
    window[at : at + len(sound)] = sound[: samples - at]
    return window


def trim(sound: Audio, below: float = 45.0, keep: int = 256) -> Audio:
    """Cut what is more than `below` dB under the peak off both ends, leaving `keep` samples."""
    heard = np.flatnonzero(np.abs(sound) > np.abs(sound).max(initial=0.0) * 10 ** (-below / 20))
    return sound[max(int(heard[0]) - keep, 0) : int(heard[-1]) + 1 + keep] if len(heard) else sound


def soft_clip(audio: Signal, ceiling: float = 0.98) -> Audio:
    """Bend peaks over 70 % of the ceiling smoothly under it (tanh), and leave all else untouched."""
    knee = 0.7 * ceiling
    over = np.maximum(np.abs(audio) - knee, 0)
    bent = np.minimum(np.abs(audio), knee) + (ceiling - knee) * np.tanh(over / (ceiling - knee))
    return (np.sign(audio) * bent).astype(np.float32)


BACKGROUNDS: Mapping[str, Callable[[int, int, Generator], Audio]] = MappingProxyType(
    {
        "white": lambda samples, rate, rng: coloured_noise(samples, "white", rng),
        "pink": lambda samples, rate, rng: coloured_noise(samples, "pink", rng),
        "brown": lambda samples, rate, rng: coloured_noise(samples, "brown", rng),
        "hum": hum,
    }
)


def _unit(audio: Signal) -> Audio:
    return (audio / max(float(np.sqrt(np.mean(np.square(audio)))), QUIET)).astype(np.float32)
