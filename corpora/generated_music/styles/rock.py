"""Rock: power chords through an amplifier over a backbeat; where it borrows, a ballad without drums."""

from __future__ import annotations

from functools import partial

from corpora.acoustics import Signal
from corpora.audio import Audio
from corpora.filters import band_pass, drive, high_pass, low_pass, peak
from corpora.generated_music import drum_kits, strings, winds_and_keys
from corpora.generated_music.harmony import PROGRESSIONS, Chord, chords, line
from corpora.generated_music.score import RATE, Commission, Note, Part, Piece, Pulse, hits

BEATS = (  # kick, snare
    ("X...x...X.x.....", "....X.......X..."),
    ("X.....x.X...x...", "....X..o....X..."),
    ("X.x...x.x.x.....", "....X.......X.o."),
    ("X.......X.......", "....X.......X..."),
    ("X...X...X...X...", "..X...X...X...X."),
)
HATS = ("x.x.x.x.x.x.x.x.", "X.o.X.o.X.o.X.o.", "x...x...x...x...", "xoxoxoxoxoxoxoxo")
STRUMS = ("1 1 1 1", "1 .5 .5 .5 .5 1", ".5 .5 .5 .5 .5 .5 .5 .5", "1.5 .5 1 1")
TUNES = ("1 1 1 1", ".5 .5 1 2", "1.5 .5 1 1", "2 1 1", ".5 .5 .5 .5 1 1")


def compose(asked: Commission) -> Piece:
    """A song, loud or not."""
    return _ballad(asked) if asked.borrows(0.35) else _song(asked)


def _song(asked: Commission) -> Piece:
    rng = asked.rng
    pulse = Pulse(rng.uniform(95, 175), looseness=rng.uniform(0.003, 0.012))
    bars, key = asked.bars(pulse.tempo), float(rng.integers(40, 52))
    harmony = chords(asked.one(PROGRESSIONS["rock"]))
    gain = rng.uniform(1.5, 5) if asked.borrows(0.5) else rng.uniform(6, 25)
    amp = partial(amplifier, gain=gain, edge=rng.uniform(3_000, 5_500))
    played = _strummed(asked, harmony, key, bars)
    low = [
        Note(note.at, note.beats, harmony[int(note.at // 4) % len(harmony)].bass(key, 28), note.strength)
        for note in played
    ]
    parts = [
        Part(strings.guitar(rng, (0.4, 0.9), (3, 6)), _chorded(played, harmony, key), asked.level(0), (amp,)),
        Part(strings.bass_guitar(rng), low, asked.level(-2)),
        *_drums(asked, bars),
    ]
    if asked.chance(0.35):
        solo = line(rng, key, "pentatonic", bars, TUNES, (60, 84), rest=0.2)
        parts.append(Part(strings.electric_lead(rng), solo, asked.level(-2), (amp,)))
    if asked.chance(0.45):
        tune = line(rng, key, "pentatonic", bars, TUNES, (52, 74), rest=0.25)
        parts.append(Part(strings.singer(rng), tune, asked.level(0)))
    if asked.borrows(0.3):
        held = [Note(4 * bar, 4, pitch) for bar in bars for pitch in harmony[bar % len(harmony)].voiced(key, 60)]
        parts.append(Part(asked.one((winds_and_keys.organ, strings.piano))(rng), held, asked.level(-6)))
    return Piece(pulse, parts, rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.3), density=rng.uniform(1, 3))


def _ballad(asked: Commission) -> Piece:
    rng = asked.rng
    pulse = Pulse(rng.uniform(62, 95), looseness=0.01)
    bars, key = asked.bars(pulse.tempo), float(rng.integers(40, 52))
    harmony = chords(asked.one(PROGRESSIONS["ballad"]))
    picked = [
        Note(4 * bar + 0.5 * step, 1.5, pitch, 0.7)
        for bar in bars
        for step, pitch in zip(range(8), 3 * harmony[bar % len(harmony)].voiced(key, 52), strict=False)
    ]
    roots = [Note(4 * bar, 4, harmony[bar % len(harmony)].bass(key, 31)) for bar in bars]
    tune = line(rng, key, "major", bars, TUNES, (52, 72), rest=0.3)
    parts = [
        Part(asked.one((strings.guitar, strings.guitar, strings.piano))(rng), picked, asked.level(0)),
        Part(strings.bass_guitar(rng), roots, asked.level(-3)),
        Part(strings.singer(rng), tune, asked.level(0)),
    ]
    if asked.chance(0.4):
        parts += _drums(asked, bars)[:2]
    return Piece(pulse, parts, rng.uniform(0.4, 1.2), rng.uniform(0.1, 0.4), density=rng.uniform(0, 1.5))


def amplifier(sound: Signal, gain: float, edge: float) -> Audio:
    """A guitar amplifier: gain that squares what it gets, and a loudspeaker that ends at `edge` Hz."""
    bent = drive(high_pass(peak(sound), RATE, 110), gain)
    return low_pass(bent, RATE, edge, 4) + 0.5 * band_pass(bent, RATE, 1_800, 3_200)


def _strummed(asked: Commission, harmony: tuple[Chord, ...], key: float, bars: range) -> list[Note]:
    """When the guitar is struck, and for how long: one rhythm, kept through the piece."""
    rhythm, short = [float(beats) for beats in asked.one(STRUMS).split()], asked.chance(0.4)
    struck = []
    for bar in bars:
        at = 4.0 * bar
        for beats in rhythm:
            struck.append(Note(at, 0.45 * beats if short else beats, harmony[bar % len(harmony)].bass(key, 40)))
            at += beats
    return struck


def _chorded(struck: list[Note], harmony: tuple[Chord, ...], key: float) -> list[Note]:
    """The chord at each stroke: root, fifth and octave."""
    whole = []
    for note in struck:
        root = harmony[int(note.at // 4) % len(harmony)].bass(key, 40)
        whole += [Note(note.at, note.beats, root + step, note.strength) for step in (0, 7, 12)]
    return whole


def _drums(asked: Commission, bars: range) -> list[Part]:
    rng, kit = asked.rng, drum_kits.acoustic(asked.rng)
    kick, snare = asked.one(BEATS)
    cymbal = asked.one(("closed", "closed", "open", "ride"))
    return [
        Part(kit["kick"], hits(kick, bars, rng), asked.level(2, 2)),
        Part(kit["snare"], hits(snare, bars, rng), asked.level(2, 2)),
        Part(kit[cymbal], hits(asked.one(HATS), bars, rng), asked.level(-9, 3)),
        Part(kit["crash"], hits("X...............", bars[::4], rng), asked.level(-9, 3)),
        Part(kit["tom"], hits("............xxxx", bars[3::4], rng), asked.level(-5, 3)),
    ]
