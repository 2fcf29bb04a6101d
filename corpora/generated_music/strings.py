"""Instruments with strings, and voices: each is invented once a piece by a function of random numbers."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from corpora.audio import Audio
from corpora.filters import band_pass, high_pass, low_pass, peak
from corpora.generated_music.score import RATE, Instrument
from corpora.synthesis import (
    VOWELS,
    count,
    ensemble,
    envelope,
    fall,
    glide,
    hertz,
    noise,
    oscillate,
    string,
    sung,
    vibrato,
    wavetable,
)


def piano(rng: Generator) -> Instrument:
    """A piano: strings that lose their brightness first, two a note, and a hammer."""
    darkness, ring, hammer = rng.uniform(0.3, 0.9), rng.uniform(2.5, 6), rng.uniform(0.02, 0.12)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.2, RATE), hertz(pitch)
        bright = ensemble(wavetable("saw", frequency, RATE, darkness), frequency, 1.5, 2, samples, RATE, rng)
        dark = ensemble(wavetable("soft", frequency, RATE, darkness), frequency, 1.0, 2, samples, RATE, rng)
        time = ring * 2 ** ((60 - pitch) / 18)
        tone = bright * fall(samples, RATE, 0.35 * time) + dark * fall(samples, RATE, time)
        knock = low_pass(noise(samples, rng) * fall(samples, RATE, 0.03), RATE, 2_500)
        return peak((peak(tone) + hammer * peak(knock)) * envelope(samples, RATE, 0.002, 0.2))

    return play


def guitar(
    rng: Generator, brightness: tuple[float, float] = (0.3, 0.8), ring: tuple[float, float] = (1.5, 4)
) -> Instrument:
    """A plucked string, as of an acoustic or a clean electric guitar."""
    bright, time, body = rng.uniform(*brightness), rng.uniform(*ring), rng.uniform(150, 300)

    def play(pitch: float, seconds: float) -> Audio:
        samples = count(seconds + 0.08, RATE)
        tone = string(hertz(pitch), samples, RATE, bright, time * 2 ** ((60 - pitch) / 30), rng)
        wood = band_pass(tone, RATE, body, 2 * body)
        return peak((tone + 0.5 * wood) * envelope(samples, RATE, 0.001, 0.08))

    return play


def bass_guitar(rng: Generator) -> Instrument:
    """An electric bass: dull, long, even."""
    return guitar(rng, (0.1, 0.4), (2.5, 5))


def upright_bass(rng: Generator) -> Instrument:
    """A double bass, plucked: a thump, and a tone that is soon gone."""
    pluck, thump = guitar(rng, (0.03, 0.15), (0.8, 1.6)), rng.uniform(0.1, 0.5)

    def play(pitch: float, seconds: float) -> Audio:
        tone = pluck(pitch, seconds)
        knock = low_pass(noise(len(tone), rng) * fall(len(tone), RATE, 0.06), RATE, 250)
        return peak(low_pass(tone, RATE, 1_500) + thump * peak(knock))

    return play


def bowed(rng: Generator, players: int = 4) -> Instrument:
    """Bowed strings, one or a section: slow to speak, with vibrato and the bow's noise."""
    darkness, cents, attack = rng.uniform(0.2, 0.8), rng.uniform(4, 14), rng.uniform(0.04, 0.2)
    bow, sway, speed = rng.uniform(0.005, 0.04), rng.uniform(5, 22), rng.uniform(4.8, 6.2)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.15, RATE), hertz(pitch)
        swaying = vibrato(frequency, sway, speed, samples, RATE, rng)
        tone = ensemble(wavetable("saw", frequency, RATE, darkness), swaying, cents, players, samples, RATE, rng)
        body = tone + 0.6 * band_pass(tone, RATE, 250, 600) + 0.4 * band_pass(tone, RATE, 1_800, 3_200)
        rough = high_pass(noise(samples, rng), RATE, 1_500)
        return peak((peak(body) + bow * rough) * envelope(samples, RATE, attack, 0.15))

    return play


def plucked_section(rng: Generator) -> Instrument:
    """Pizzicato: the same strings, plucked."""
    return guitar(rng, (0.1, 0.35), (0.5, 1.0))


def singer(rng: Generator) -> Instrument:
    """A voice on changing vowels, with a scoop into each note."""
    throat, breath = rng.uniform(0.92, 1.25), rng.uniform(0.05, 0.4)
    sway, speed = rng.uniform(15, 60), rng.uniform(4.6, 6.2)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.1, RATE), hertz(pitch)
        bent = glide(frequency * rng.uniform(0.9, 1.0), frequency, rng.uniform(0.1, 0.3), samples, RATE)
        names = tuple(VOWELS)
        vowels = (names[int(rng.integers(len(names)))], names[int(rng.integers(len(names)))])
        swaying = vibrato(bent, sway, speed, samples, RATE, rng)
        tone = sung(swaying, vowels, throat, breath, samples, RATE, rng)
        if rng.uniform() < 0.5:  # a consonant
            tone = tone + 0.5 * rng.uniform() * peak(
                high_pass(noise(samples, rng), RATE, 3_000) * fall(samples, RATE, 0.08)
            )
        return peak(tone * envelope(samples, RATE, rng.uniform(0.02, 0.08), 0.1))

    return play


def electric_lead(rng: Generator) -> Instrument:
    """A string that an amplifier keeps alive, bent and swaying; it wants the amplifier after it."""
    sway, speed = rng.uniform(8, 35), rng.uniform(4.5, 6.5)

    def play(pitch: float, seconds: float) -> Audio:
        samples, frequency = count(seconds + 0.05, RATE), hertz(pitch)
        bent = glide(frequency * (0.94 if rng.uniform() < 0.3 else 1.0), frequency, 0.15, samples, RATE)
        tone = oscillate(
            wavetable("saw", frequency, RATE, 0.3), vibrato(bent, sway, speed, samples, RATE, rng), samples, RATE
        )
        pick = high_pass(noise(samples, rng) * fall(samples, RATE, 0.02), RATE, 1_000)
        return peak((tone * np.sqrt(fall(samples, RATE, 5.0)) + 0.3 * pick) * envelope(samples, RATE, 0.003, 0.05))

    return play
