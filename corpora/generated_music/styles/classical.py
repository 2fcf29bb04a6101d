"""Classical: strings, winds or a piano in triads and arpeggios, breathing tempo, a hall; where it borrows, percussion."""

from __future__ import annotations

from functools import partial

from corpora.generated_music import drum_kits, strings, winds_and_keys
from corpora.generated_music.harmony import PROGRESSIONS, Chord, chords, line
from corpora.generated_music.score import Commission, Luthier, Note, Part, Piece, Pulse, hits

TUNES = ("1 1 1 1", "2 1 1", "1 .5 .5 2", "1.5 .5 1 1", ".5 .5 .5 .5 1 1", "3 1", ".5 .5 .5 .5 .5 .5 .5 .5")
FIGURES = ((0, 2, 1, 2, 0, 2, 1, 2), (0, 1, 2, 1, 0, 1, 2, 1), (0, 1, 2, 3, 2, 3, 2, 1), (0, 2, 1, 3, 0, 2, 1, 3))
Harmony = tuple[Chord, ...]


def compose(asked: Commission) -> Piece:
    """A movement for a quartet, a piano, winds, or an orchestra."""
    rng = asked.rng
    pulse = Pulse(
        rng.uniform(50, 132), rubato=rng.uniform(0.02, 0.15), looseness=rng.uniform(0.01, 0.03), phase=rng.uniform(0, 6)
    )
    bars, key = asked.bars(pulse.tempo), float(rng.integers(48, 60))
    harmony = chords(asked.one(PROGRESSIONS["classical"]))
    scored = asked.one((_quartet, _quartet, _piano, _winds, _orchestra))(asked, harmony, key, bars)
    if asked.borrows(0.3):
        scored += _percussion(asked, harmony, key, bars)
    return Piece(pulse, scored, rng.uniform(0.7, 2.2), rng.uniform(0.2, 0.7))


def _quartet(asked: Commission, harmony: Harmony, key: float, bars: range) -> list[Part]:
    rng, players = asked.rng, asked.one((1, 1, 4))
    low = strings.bowed(rng, players)
    middle = strings.plucked_section(rng) if asked.chance(0.2) else strings.bowed(rng, players)
    return [
        Part(strings.bowed(rng, players), _tune(asked, key, bars, (60, 86)), asked.level(0)),
        Part(middle, _accompanied(asked, harmony, key, bars, 52), asked.level(-6)),
        Part(low, _roots(asked, harmony, key, bars, 36), asked.level(-3)),
    ]


def _piano(asked: Commission, harmony: Harmony, key: float, bars: range) -> list[Part]:
    played = (
        strings.piano(asked.rng)
        if not asked.borrows(0.3)
        else asked.one((strings.guitar, winds_and_keys.organ))(asked.rng)
    )
    left, right = _arpeggio(asked, harmony, key, bars, 45), _tune(asked, key, bars, (60, 84))
    return [Part(played, right, asked.level(0, 2)), Part(played, left, asked.level(-5, 2))]


def _winds(asked: Commission, harmony: Harmony, key: float, bars: range) -> list[Part]:
    rng = asked.rng
    return [
        Part(winds_and_keys.wind(rng), _tune(asked, key, bars, (67, 91)), asked.level(0)),
        Part(winds_and_keys.wind(rng), _tune(asked, key, bars, (58, 79)), asked.level(-4)),
        Part(winds_and_keys.horn(rng), _roots(asked, harmony, key, bars, 48), asked.level(-6)),
        Part(strings.plucked_section(rng), _arpeggio(asked, harmony, key, bars, 48), asked.level(-6)),
    ]


def _orchestra(asked: Commission, harmony: Harmony, key: float, bars: range) -> list[Part]:
    rng = asked.rng
    leads: tuple[Luthier, ...] = (strings.bowed, winds_and_keys.wind, partial(winds_and_keys.horn, players=3))
    parts = [
        Part(strings.bowed(rng, 5), _tune(asked, key, bars, (62, 88)), asked.level(0)),
        Part(asked.one(leads)(rng), _tune(asked, key, bars, (55, 80)), asked.level(-2)),
        Part(strings.bowed(rng, 5), _accompanied(asked, harmony, key, bars, 52), asked.level(-4)),
        Part(strings.bowed(rng, 3), _roots(asked, harmony, key, bars, 33), asked.level(-3)),
    ]
    return parts + (_percussion(asked, harmony, key, bars) if asked.chance(0.4) else [])


def _percussion(asked: Commission, harmony: Harmony, key: float, bars: range) -> list[Part]:
    rng, kit = asked.rng, drum_kits.acoustic(asked.rng)
    struck = hits(asked.one(("X.......x.......", "X...x...X...xxxx", "X...............")), bars, rng, drop=0.3)
    rolled = [
        Note(note.at, 1, harmony[int(note.at // 4) % len(harmony)].bass(key, 38), note.strength) for note in struck
    ]
    return [
        Part(drum_kits.timpani(rng), rolled, asked.level(-3)),
        Part(kit["crash"], hits("X...............", bars[::2], rng, drop=0.4), asked.level(-10)),
        Part(kit["snare"], hits("x..xx..xx..xxxxx", bars[1::4], rng), asked.level(-12)),
    ]


def _tune(asked: Commission, key: float, bars: range, span: tuple[float, float]) -> list[Note]:
    scale = asked.one(("major", "major", "minor", "harmonic"))
    return line(asked.rng, key, scale, bars, TUNES, span, rest=0.1)


def _roots(asked: Commission, harmony: Harmony, key: float, bars: range, low: float) -> list[Note]:
    beats = asked.one((1.0, 2.0, 4.0))
    return [
        Note(4 * bar + beats * step, beats, harmony[bar % len(harmony)].bass(key, low))
        for bar in bars
        for step in range(int(4 / beats))
    ]


def _accompanied(asked: Commission, harmony: Harmony, key: float, bars: range, low: float) -> list[Note]:
    """Held chords, repeated ones, or broken ones."""
    if asked.chance(0.35):
        return _arpeggio(asked, harmony, key, bars, low)
    beats = asked.one((0.5, 1.0, 2.0, 4.0))
    return [
        Note(4 * bar + beats * step, 0.95 * beats, pitch, 0.7)
        for bar in bars
        for step in range(int(4 / beats))
        for pitch in harmony[bar % len(harmony)].voiced(key, low)
    ]


def _arpeggio(asked: Commission, harmony: Harmony, key: float, bars: range, low: float) -> list[Note]:
    figure = asked.one(FIGURES)
    broken = []
    for bar in bars:
        tones = harmony[bar % len(harmony)].voiced(key, low)
        tones.append(tones[0] + 12)
        broken += [Note(4 * bar + 0.5 * step, 0.5, tones[place], 0.7) for step, place in enumerate(figure)]
    return broken
