"""Electronic: four on the floor, saws under moving filters, everything ducking under the kick; where it borrows, ambient."""

from __future__ import annotations

from functools import partial

import numpy as np

from corpora.acoustics import Signal
from corpora.audio import Audio
from corpora.filters import drive, peak, sweep
from corpora.generated_music import drum_kits, strings, winds_and_keys
from corpora.generated_music.harmony import PROGRESSIONS, Chord, chords, line
from corpora.generated_music.score import RATE, Commission, Effect, Note, Part, Piece, Pulse, hits

FLOORS = (  # kick, snare or clap
    ("X...X...X...X...", "....X.......X..."),
    ("X...X...X...X...", "................"),
    ("X...X...X...X.x.", "....X.......X..."),
    ("X.....x...X.....", "....X.......X..x"),
    ("X..x..X...X.....", "....X.......X..."),
)
BASSES = ("..x...x...x...x.", "x.xxx.xxx.xxx.xx", "x..x..x.x..x..x.", "..xx..xx..xx..xx", "x...............")
FIGURES = ("x.x.x.x.x.x.x.x.", "x..x..x.x..x..x.", "xxxxxxxxxxxxxxxx", "x..x..x..x..x.x.")
TUNES = ("1 1 1 1", "1.5 1.5 1", "2 2", ".5 .5 1 .5 .5 1")


def compose(asked: Commission) -> Piece:
    """A stretch of a track, to dance to or not."""
    rng, still = asked.rng, asked.borrows(0.35)
    pulse = Pulse(rng.uniform(70, 110) if still else rng.uniform(112, 172), looseness=0.001)
    bars, key = asked.bars(pulse.tempo), float(rng.integers(40, 52))
    harmony = chords(asked.one(PROGRESSIONS["electronic"]))
    parts = _ambience(asked, harmony, key, bars) if still else _dance(asked, harmony, key, bars, pulse)
    if asked.borrows(0.35):
        tune = line(rng, key, "minor", bars, TUNES, (55, 76), rest=0.4)
        borrowed = (strings.singer, strings.piano, winds_and_keys.electric_piano, strings.bowed)
        parts.append(Part(asked.one(borrowed)(rng), tune, asked.level(-2)))
    room = (rng.uniform(1, 2.5), rng.uniform(0.2, 0.6)) if still else (rng.uniform(0.2, 1.0), rng.uniform(0.02, 0.25))
    return Piece(pulse, parts, *room, density=rng.uniform(0, 1) if still else rng.uniform(1, 3))


def _dance(asked: Commission, harmony: tuple[Chord, ...], key: float, bars: range, pulse: Pulse) -> list[Part]:
    rng, kit = asked.rng, drum_kits.machine(asked.rng)
    kick, clap = asked.one(FLOORS)
    floor = hits(kick, bars, rng, drop=0)
    ducked = partial(duck, beats=[pulse.seconds(note.at) for note in floor], depth=rng.uniform(0.3, 0.95))
    parts = [
        Part(kit["kick"], floor, asked.level(1, 2)),
        Part(kit["snare"], hits(clap, bars, rng, drop=0), asked.level(-5, 3)),
        Part(kit["open"], hits("..x...x...x...x.", bars, rng, drop=0), asked.level(-9, 3)),
        Part(kit[asked.one(("closed", "shaker"))], hits("xoxoxoxoxoxoxoxo", bars, rng, drop=0), asked.level(-12, 3)),
        Part(
            winds_and_keys.synth_bass(rng), _figure(asked, BASSES, harmony, key, bars, 30), asked.level(-1), (ducked,)
        ),
    ]
    parts += _synths(asked, harmony, key, bars, ducked)
    if asked.chance(0.3):
        rises = [Note(4 * bar, 16, float(rng.choice([50, 70]))) for bar in bars[::8]]
        parts.append(Part(winds_and_keys.wash(rng), rises, asked.level(-10)))
    return parts


def _ambience(asked: Commission, harmony: tuple[Chord, ...], key: float, bars: range) -> list[Part]:
    rng = asked.rng
    low = [Note(4 * bar, 4, harmony[bar % len(harmony)].bass(key, 28)) for bar in bars]
    parts = [
        Part(winds_and_keys.synth_pad(rng), _held(harmony, key, bars), asked.level(0), (_wandering(asked),)),
        Part(winds_and_keys.synth_bass(rng), low, asked.level(-5)),
    ]
    if asked.chance(0.6):
        parts += _synths(asked, harmony, key, bars, peak)[:1]
    if asked.chance(0.5):
        parts.append(Part(winds_and_keys.wash(rng), [Note(8 * bar, 8, 70) for bar in bars[::2]], asked.level(-14)))
    return parts


def _synths(asked: Commission, harmony: tuple[Chord, ...], key: float, bars: range, ducked: Effect) -> list[Part]:
    rng = asked.rng
    figure = Part(
        winds_and_keys.synth_pluck(rng), _figure(asked, FIGURES, harmony, key, bars, 60, arpeggio=True), asked.level(-4),
        (_wandering(asked), ducked),
    )  # fmt: skip
    pad = Part(winds_and_keys.synth_pad(rng), _held(harmony, key, bars), asked.level(-5), (_wandering(asked), ducked))
    lead = winds_and_keys.synthesizer(rng, (0.005, 0.03), (0.3, 1.5), (6, 20))
    tune = Part(lead, line(rng, key, "minor", bars, TUNES, (64, 84), rest=0.3), asked.level(-4), (ducked,))
    return asked.one(([figure], [figure, pad], [pad], [figure, tune], [pad, tune]))


def _figure(
    asked: Commission,
    patterns: tuple[str, ...],
    harmony: tuple[Chord, ...],
    key: float,
    bars: range,
    low: float,
    arpeggio: bool = False,
) -> list[Note]:
    """A pattern of sixteenths on the roots, or up and down the chords."""
    struck = hits(asked.one(patterns), bars, asked.rng, drop=0)
    figure = []
    for index, note in enumerate(struck):
        chord = harmony[int(note.at // 4) % len(harmony)]
        tones = [*chord.voiced(key, low), *(pitch + 12 for pitch in chord.voiced(key, low))]
        pitch = tones[index % len(tones)] if arpeggio else chord.bass(key, low)
        figure.append(Note(note.at, 0.25 * asked.one((1, 1, 2)), pitch, note.strength))
    return figure


def _held(harmony: tuple[Chord, ...], key: float, bars: range) -> list[Note]:
    return [Note(4 * bar, 4, pitch) for bar in bars for pitch in harmony[bar % len(harmony)].voiced(key, 52)]


def _wandering(asked: Commission) -> Effect:
    """A low-pass that goes up and down over the piece, as a hand on the knob does."""
    low, high = asked.rng.uniform(300, 1_200), asked.rng.uniform(2_500, 10_000)
    speed, phase = asked.rng.uniform(0.03, 0.25), asked.rng.uniform()

    def move(sound: Signal) -> Audio:
        turn = 0.5 + 0.5 * np.sin(2 * np.pi * (speed * np.arange(len(sound)) / RATE + phase))
        return drive(peak(sweep(sound, RATE, low * (high / low) ** turn)), 0.5)

    return move


def duck(sound: Signal, beats: list[float], depth: float) -> Audio:
    """Turn a sound down by `depth` at each beat and let it come back over a quarter of a second."""
    since = np.arange(len(sound)) / RATE
    order = np.searchsorted(np.asarray(beats), since, side="right") - 1
    since = np.where(order >= 0, since - np.asarray(beats)[np.maximum(order, 0)], 1.0)
    return np.asarray(sound * (1 - depth * np.exp(-since / 0.09)), np.float32)
