"""Winds, brass, electric keys and synthesizers: each is invented once a piece by a function of random numbers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from corpora.audio import Audio
from corpora.filters import band_pass, drive, high_pass, peak, sweep
from corpora.generated_music.score import RATE, Instrument
from corpora.synthesis import (
    count,
    ensemble,
    envelope,
    fall,
    glide,
    hertz,
    noise,
    oscillate,
    period,
    vibrato,
    wavetable,
)

# The first harmonics of a flute, a clarinet and an oboe in their middle registers, as amplitudes.
WINDS = (
    (1.0, 0.55, 0.2, 0.08, 0.03),
    (1.0, 0.05, 0.6, 0.06, 0.35, 0.08, 0.2, 0.1, 0.1),
    (0.5, 0.9, 1.0, 0.7, 0.3, 0.25, 0.2, 0.1, 0.06),
)


def wind(rng: Generator) -> Instrument:
    """A flute, clarinet or oboe: few harmonics, air, a late vibrato."""
    strengths = np.array(WINDS[int(rng.integers(len(WINDS)))])
    air, sway, attack = rng.uniform(0.01, 0.08), rng.uniform(0, 20), rng.uniform(0.03, 0.09)
    table = period(strengths * rng.uniform(0.7, 1.3, len(strengths)))

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.08, RATE), hertz(pitch)
        tone = oscillate(table, vibrato(frequency, sway, rng.uniform(4.5, 6), samples, RATE, rng), samples, RATE)
        blown = band_pass(noise(samples, rng), RATE, frequency, 4 * frequency)
        return peak((tone + air * blown) * envelope(samples, RATE, attack, 0.08))

    return play


def horn(rng: Generator, players: int = 1, mute: bool = False) -> Instrument:
    """Brass: brightness follows loudness; with a mute, thin and nasal."""
    attack, high, cents = rng.uniform(0.03, 0.09), rng.uniform(5, 14), rng.uniform(3, 9)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.1, RATE), hertz(pitch)
        bent = glide(frequency * rng.uniform(0.95, 1.0), frequency, 0.1, samples, RATE)
        swaying = vibrato(bent, rng.uniform(0, 20), 5.2, samples, RATE, rng)
        tone = ensemble(wavetable("saw", frequency, RATE, 0.2), swaying, cents, players, samples, RATE, rng)
        swell = envelope(samples, RATE, 1.5 * attack, 0.1, decay=0.6, sustain=0.6)
        bright = sweep(tone, RATE, frequency * (1.5 + high * swell))
        bright = band_pass(bright, RATE, 1_000, 2_800) if mute else bright
        return peak(peak(bright) * envelope(samples, RATE, attack, 0.1))

    return play


def saxophone(rng: Generator) -> Instrument:
    """A reed with a body: a pulse through broad resonances, breath, scoops into notes."""
    centre, breath = rng.uniform(450, 800), rng.uniform(0.03, 0.15)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.07, RATE), hertz(pitch)
        scoop = rng.uniform(0.92, 0.99) if rng.uniform() < 0.4 else 1.0
        bent = glide(frequency * scoop, frequency, 0.12, samples, RATE)
        swaying = vibrato(bent, rng.uniform(5, 30), 5.0, samples, RATE, rng)
        reed = oscillate(wavetable("pulse", frequency, RATE, 0.25), swaying, samples, RATE) + breath * noise(
            samples, rng
        )
        body = band_pass(reed, RATE, 0.6 * centre, 2 * centre) + 0.5 * band_pass(reed, RATE, 1_400, 3_000) + 0.25 * reed
        return peak(drive(peak(body), 1.0) * envelope(samples, RATE, rng.uniform(0.015, 0.05), 0.07))

    return play


def electric_piano(rng: Generator) -> Instrument:
    """A tine piano: two operators, the modulator gone at once, and tremolo."""
    index, depth, speed, ratio = (
        rng.uniform(0.5, 2.5),
        rng.uniform(0, 0.3),
        rng.uniform(3, 7),
        float(rng.choice([1, 14])),
    )

    def play(pitch: float, seconds: float) -> Audio:
        samples = count(seconds + 0.15, RATE)
        turns = 2 * np.pi * hertz(pitch) * np.arange(samples) / RATE
        tone = np.sin(turns + index * fall(samples, RATE, 0.5) * np.sin(ratio * turns)) * fall(samples, RATE, 4.0)
        tremolo = 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * speed * np.arange(samples) / RATE))
        return peak(tone * tremolo * envelope(samples, RATE, 0.003, 0.15))

    return play


def organ(rng: Generator) -> Instrument:
    """Drawbars and a turning loudspeaker."""
    sway, speed = rng.uniform(3, 15), rng.uniform(1, 7)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.05, RATE), hertz(pitch - 12)
        turning = vibrato(frequency, sway, speed, samples, RATE, rng)
        return peak(
            oscillate(wavetable("organ", frequency, RATE), turning, samples, RATE) * envelope(samples, RATE, 0.01, 0.05)
        )

    return play


def synthesizer(
    rng: Generator,
    attack: tuple[float, float],
    ring: tuple[float, float],
    opening: tuple[float, float],
    voices: int = 3,
) -> Instrument:
    """Detuned saws or squares under a low-pass that opens to `opening` times their frequency and closes over `ring` seconds."""
    shape, cents = str(rng.choice(["saw", "saw", "square", "pulse"])), rng.uniform(4, 22)
    rise, time, high, rest = rng.uniform(*attack), rng.uniform(*ring), rng.uniform(*opening), rng.uniform(1.2, 3.5)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.1, RATE), hertz(pitch)
        tone = ensemble(wavetable(shape, frequency, RATE), frequency, cents, voices, samples, RATE, rng)
        moved = sweep(tone, RATE, glide(frequency * high, frequency * rest, 2 * time, samples, RATE))
        return peak(peak(moved) * envelope(samples, RATE, rise, 0.1))

    return play


def synth_bass(rng: Generator) -> Instrument:
    """One or two saws, short and round."""
    return synthesizer(rng, (0.002, 0.01), (0.1, 0.5), (4, 20), voices=int(rng.integers(1, 3)))


def synth_pad(rng: Generator) -> Instrument:
    """Many saws, slow."""
    return synthesizer(rng, (0.15, 0.6), (1.0, 4.0), (3, 10), voices=5)


def synth_pluck(rng: Generator) -> Instrument:
    """A short bright note."""
    return synthesizer(rng, (0.002, 0.006), (0.08, 0.35), (6, 25))


def wash(rng: Generator) -> Instrument:
    """Noise that rises and falls, as before a drop."""
    low = rng.uniform(300, 1_500)

    def play(pitch: float, seconds: float) -> Audio:
        samples = count(seconds, RATE)
        rising = low * 2 ** (4 * np.linspace(0, 1, samples) * (1 if pitch > 60 else -1) + (0 if pitch > 60 else 4))
        return peak(
            high_pass(sweep(noise(samples, rng), RATE, rising), RATE, low) * envelope(samples, RATE, 0.5 * seconds, 0.1)
        )

    return play
