"""Jazz: a swung ride, a walking bass, seventh chords off the beat, a solo; where it borrows, electric and straight."""

from __future__ import annotations

from functools import partial

from corpora.generated_music import drum_kits, strings, winds_and_keys
from corpora.generated_music.harmony import PROGRESSIONS, Chord, chords, line
from corpora.generated_music.score import Commission, Instrument, Luthier, Note, Part, Piece, Pulse, hits

RUNS = ("1 .5 .5 1 1", ".5 .5 .5 .5 .5 .5 .5 .5", "1.5 .5 .5 .5 1", "2 1 1", ".5 .5 1 .5 .5 1", ".5 1 .5 .5 .5 1")
STABS = ("...x......x.....", "..x.......x...x.", "x.....x.........", "......x...x.....", "..x...x.......x.")
RIDES = ("X...X.x.X...X.x.", "x...X.x.x...X.x.", "x...x...x...x.x.")
STRAIGHT = (("X.....x.x.....x.", "....X..o....X..o"), ("X..x..x...x.....", "....x.......x..o"))


def compose(asked: Commission) -> Piece:
    """A chorus by a trio or more."""
    rng, fused = asked.rng, asked.borrows(0.3)
    slow = asked.chance(0.25)
    tempo = rng.uniform(62, 95) if slow else rng.uniform(105, 230)
    pulse = Pulse(tempo, swing=0.5 if fused else rng.uniform(0.58, 0.67), looseness=rng.uniform(0.006, 0.02))
    bars, key = asked.bars(tempo), float(rng.integers(48, 60))
    harmony = chords(asked.one(PROGRESSIONS["jazz"]))
    parts = [
        Part(
            (strings.bass_guitar if fused else strings.upright_bass)(rng),
            _walk(asked, harmony, key, bars),
            asked.level(0),
        ),
        Part(_comping(asked, fused), _comp(asked, harmony, key, bars), asked.level(-5)),
    ]
    if asked.chance(0.85):
        tune = line(rng, key, asked.one(("bebop", "dorian", "blues")), bars, RUNS, (55, 82), rest=0.2, leap=0.3)
        parts.append(Part(_soloist(asked, fused), tune, asked.level(0)))
    if not asked.borrows(0.3):
        parts += _backbeat(asked, bars) if fused else _swing(asked, bars)
    return Piece(pulse, parts, rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.35), density=rng.uniform(0, 0.8))


def _walk(asked: Commission, harmony: tuple[Chord, ...], key: float, bars: range) -> list[Note]:
    """A quarter a beat: the root, tones of the chord, and at last a step to the next root."""
    walk = []
    for bar in bars:
        chord, after = harmony[bar % len(harmony)], harmony[(bar + 1) % len(harmony)]
        tones = chord.voiced(key, 33)
        aim = after.bass(key, 30) + float(asked.rng.choice([-1, 1]))
        pitches = [chord.bass(key, 30), asked.one(tones), asked.one(tones), aim]
        walk += [
            Note(4 * bar + beat, 0.95, pitch, float(asked.rng.uniform(0.7, 1))) for beat, pitch in enumerate(pitches)
        ]
    return walk


def _comp(asked: Commission, harmony: tuple[Chord, ...], key: float, bars: range) -> list[Note]:
    struck = hits(asked.one(STABS), bars, asked.rng, drop=0.25)
    held = asked.rng.uniform(0.3, 2.0)
    return [
        Note(note.at, held, pitch, note.strength)
        for note in struck
        for pitch in harmony[int(note.at // 4) % len(harmony)].voiced(key, 54)[1:]
    ]


def _swing(asked: Commission, bars: range) -> list[Part]:
    rng, kit = asked.rng, drum_kits.brushed(asked.rng)
    stirred = Part(kit["brush"], hits("x...x...x...x...", bars, rng), asked.level(-6))
    ridden = Part(kit["ride"], hits(asked.one(RIDES), bars, rng), asked.level(-3))
    return [
        *(asked.one(((stirred,), (ridden,), (stirred, ridden)))),
        Part(kit["closed"], hits("....x.......x...", bars, rng), asked.level(-7)),
        Part(kit["snare"], hits(asked.one(STABS), bars, rng, drop=0.5), asked.level(-8)),
        Part(kit["kick"], hits("x...o...x...o...", bars, rng, drop=0.3), asked.level(-10)),
    ]


def _backbeat(asked: Commission, bars: range) -> list[Part]:
    rng, kit = asked.rng, drum_kits.acoustic(asked.rng)
    kick, snare = asked.one(STRAIGHT)
    return [
        Part(kit["kick"], hits(kick, bars, rng), asked.level(-4)),
        Part(kit["snare"], hits(snare, bars, rng), asked.level(-5)),
        Part(kit[asked.one(("closed", "ride"))], hits("xoxoxoxoxoxoxoxo", bars, rng), asked.level(-10)),
    ]


def _comping(asked: Commission, fused: bool) -> Instrument:
    acoustic: tuple[Luthier, ...] = (strings.piano, strings.piano, partial(strings.guitar, brightness=(0.1, 0.3)))
    electric: tuple[Luthier, ...] = (winds_and_keys.electric_piano, winds_and_keys.organ)
    return asked.one(electric if fused else acoustic)(asked.rng)


def _soloist(asked: Commission, fused: bool) -> Instrument:
    acoustic: tuple[Luthier, ...] = (
        winds_and_keys.saxophone,
        winds_and_keys.saxophone,
        winds_and_keys.horn,
        partial(winds_and_keys.horn, mute=True),
        strings.piano,
        partial(strings.guitar, brightness=(0.1, 0.35)),
        strings.singer,
    )
    electric: tuple[Luthier, ...] = (strings.electric_lead, winds_and_keys.synth_pluck, winds_and_keys.saxophone)
    return asked.one(electric if fused else acoustic)(asked.rng)
