"""Generated music: the folder form, the same bytes for a seed, styles that differ, rhythm and harmony, strict settings."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, generated_music, read_audio, split
from corpora.corpus import content_hash
from corpora.generated_music import LABELS, Settings, main, make
from corpora.generated_music.harmony import PROGRESSIONS, SCALES, chords, line
from corpora.generated_music.score import RATE, Commission, Note, Part, Pulse, hits, perform
from corpora.generated_music.studio import Master, mix
from corpora.generated_music.styles import COMPOSERS
from corpora.generated_music.styles.electronic import duck
from corpora.generated_music.tracks import Plan, produce, programme

SMALL = Settings(tracks=3, clips=2, seconds=0.6)
CLEAN = Master(loudness=(-20, -20), snr=(60, 60), lofi=0, slope=0)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make(tmp_path_factory.mktemp("generated") / "small", SMALL)


def test_every_track_gives_its_clips(small: Corpus) -> None:
    assert small.labels == ("classical", "electronic", "jazz", "rock", "speech")
    assert set(Counter(clip.group for clip in small.clips).values()) == {2}
    for label in LABELS:
        assert len({clip.group for clip in small.clips if clip.label == label}) == 3


def test_clips_have_their_length_and_are_all_different(small: Corpus) -> None:
    for clip in small.clips:
        audio, rate = read_audio(small.file(clip))
        assert (rate, audio.shape) == (24_000, (14_400,))
        assert 0.01 < np.abs(audio).max() <= 0.981
    assert len({content_hash(small.file(clip)) for clip in small.clips}) == len(small.clips)


def test_it_splits_by_track(small: Corpus) -> None:
    parts = split(small, {"train": 0.34, "validation": 0.33, "test": 0.33}, seed=0)
    for part in parts.values():
        assert {clip.label for clip in part} == set(LABELS)
        assert len({clip.group for clip in part}) == 5


def test_speech_is_grouped_by_voice(small: Corpus) -> None:
    for clip in small.clips:
        if clip.label == "speech":
            assert clip.group in Path(clip.path).name
            assert not Path(clip.path).name.startswith(clip.group)  # the accent stands before the voice


def test_corpus_json_says_what_it_is(small: Corpus) -> None:
    facts = json.loads((small.root / "corpus.json").read_text())
    assert small.name == facts["name"] == "generated music"
    assert facts["settings"]["tracks"] == 3
    assert "GPL-3" in facts["note"]


def test_the_same_settings_give_the_same_bytes(small: Corpus, tmp_path: Path) -> None:
    again = make(tmp_path / "again", SMALL, workers=1)
    assert again.digest() == small.digest()
    for name in ("labels.csv", "corpus.json"):
        assert (again.root / name).read_bytes() == (small.root / name).read_bytes()


def test_another_seed_gives_others() -> None:
    plan = Plan(clips=1, seconds=0.5, overlap=0.4, master=CLEAN)
    for label, number in (("jazz", 0), ("speech", 1)):
        one, other = (
            next(track for track in programme(3, seed) if (track.label, track.number) == (label, number))
            for seed in (7, 8)
        )
        assert not np.array_equal(produce(one, plan), produce(other, plan))


def _frames(audio: np.ndarray, length: int) -> np.ndarray:
    """Power spectra of half-overlapping frames: (frames, bins)."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, length)[:: length // 2] * np.hanning(length)
    return np.abs(np.fft.rfft(frames, axis=1)) ** 2


def _describe(audio: np.ndarray) -> dict[str, float]:
    """How hard the hardest strokes are, how much a spectrum is like that of 85 ms before, what there is above 8 kHz (log)."""
    short, long = _frames(audio, 512)[:, :240], np.log10(_frames(audio, 2_048)[:, 5:250] + 1e-4)
    bands = np.log10(short.reshape(len(short), 24, -1).mean(axis=2) + 1e-6)
    long -= long.mean(axis=1, keepdims=True)
    long /= np.linalg.norm(long, axis=1, keepdims=True)
    return {
        "strokes": float(np.percentile(np.maximum(np.diff(bands, axis=0), 0).mean(axis=1), 95)),
        "steadiness": float(np.median((long[2:] * long[:-2]).sum(axis=1))),
        "height": float(np.log10(short[:, 170:].mean() / short.mean())),
    }


def test_styles_differ_where_they_do_not_borrow() -> None:
    plan = Plan(clips=1, seconds=2.5, overlap=0.0, master=CLEAN)
    found = {label: [] for label in LABELS}
    for track in programme(4, 3):
        found[track.label].append(_describe(produce(track, plan)))
    median = {
        what: {label: np.median([one[what] for one in all_]) for label, all_ in found.items()}
        for what in ("strokes", "steadiness", "height")
    }
    # Drums strike where bows and breath swell, speech holds no note, and cymbals are above it all.
    assert min(median["strokes"][label] for label in ("electronic", "rock")) > 1.5 * median["strokes"]["classical"]
    assert median["steadiness"]["speech"] < min(median["steadiness"][label] for label in COMPOSERS)
    assert median["steadiness"]["classical"] > max(median["steadiness"][label] for label in ("electronic", "rock"))
    assert median["height"]["jazz"] > median["height"]["classical"] + 0.5


def test_nothing_is_borrowed_without_overlap() -> None:
    """At 0 every rock song has its drums, and dance music its four on the floor; at 1 some do without."""

    def parts(label: str, overlap: float) -> list[int]:
        return [
            len(COMPOSERS[label](Commission(np.random.default_rng(seed), overlap, 2.0)).parts) for seed in range(25)
        ]

    assert min(parts("rock", 0.0)) >= 7
    assert min(parts("electronic", 0.0)) >= 6
    assert min(parts("jazz", 0.0)) >= 5
    assert max(parts("classical", 0.0)) <= 7
    for label in ("rock", "electronic", "jazz"):
        assert min(parts(label, 1.0)) < 5


def test_pieces_fill_their_time() -> None:
    for label, compose in COMPOSERS.items():
        piece = compose(Commission(np.random.default_rng(4), 0.5, 4.0))
        audio = mix(piece, 4 * RATE, np.random.default_rng(4))
        assert audio.shape == (4 * RATE,), label
        assert np.std(audio[-RATE:]) > 0.01, label
        assert max(piece.pulse.seconds(note.at) for part in piece.parts for note in part.notes) > 3.5


def test_a_pulse_swings_and_sways() -> None:
    straight = Pulse(120)
    assert [straight.seconds(beat) for beat in (0, 0.5, 1, 3)] == pytest.approx([0, 0.25, 0.5, 1.5])
    swung = Pulse(120, swing=2 / 3)
    assert [swung.seconds(beat) for beat in (1, 1.5, 2)] == pytest.approx([0.5, 0.5 + 1 / 3, 1.0])
    free = Pulse(60, rubato=0.15, phase=1.0)
    steps = np.diff([free.seconds(beat) for beat in range(17)])
    assert free.seconds(0) == 0
    assert steps.min() > 0.84
    assert steps.max() > 1.1
    assert free.seconds(16) == pytest.approx(16)


def test_a_bar_is_written_as_a_grid() -> None:
    struck = hits("X...x..o", range(2), np.random.default_rng(0), drop=0)
    assert [note.at for note in struck] == [0, 2, 3.5, 4, 6, 7.5]
    assert struck[0].strength > struck[1].strength > struck[2].strength
    assert not hits("XXXX", range(3), np.random.default_rng(0), drop=1.0)


def test_notes_are_played_when_they_should() -> None:
    click = Part(lambda pitch, seconds: np.ones(10, np.float32), [Note(1, 1, strength=0.5), Note(2, 1), Note(90, 1)])
    played = perform(click, Pulse(60, looseness=0), 3 * RATE, np.random.default_rng(0))
    assert np.flatnonzero(np.diff(np.abs(played) > 0)).tolist() == [RATE - 1, RATE + 9, 2 * RATE - 1, 2 * RATE + 9]
    assert played[RATE] == 0.5


def test_chords_are_what_their_symbols_say() -> None:
    second, fifth, tonic = chords("IIm7 bVII5 Imaj7")
    assert (second.root, second.steps) == (2, (0, 3, 7, 10))
    assert (fifth.root, fifth.steps) == (10, (0, 7))
    assert tonic.voiced(60, 60) == [60, 64, 67, 71]
    assert second.bass(60, 36) == 38
    assert all(52 <= pitch < 64 for chord in (second, fifth, tonic) for pitch in chord.voiced(49, 52))
    for progressions in PROGRESSIONS.values():
        assert all(chords(progression) for progression in progressions)
    for wrong in ("VIIIm", "Ixyz", "H7"):
        with pytest.raises(CorpusError, match=f"no chord '{wrong}'; allowed: "):
            chords(wrong)


def test_lines_stay_in_scale_and_span() -> None:
    for scale, steps in SCALES.items():
        notes = line(np.random.default_rng(1), 2, scale, range(8), ("1 .5 .5 2", ".5 .5 1 2"), (55, 80))
        assert {(note.pitch - 2) % 12 for note in notes} <= set(steps)
        assert all(55 <= note.pitch <= 80 for note in notes)
        assert all(later.at >= earlier.at + earlier.beats for earlier, later in pairwise(notes))


def test_everything_ducks_under_the_kick() -> None:
    ducked = duck(np.ones(RATE), [0.25, 0.75], 0.8)
    assert ducked[: RATE // 5] == pytest.approx(1, abs=1e-4)
    assert ducked[RATE // 4 + 1] == pytest.approx(0.2, abs=0.01)
    assert ducked[3 * RATE // 4 - 10] > 0.95
    assert ducked[3 * RATE // 4 + 1] < 0.25


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"track": 3}, "unknown key track; allowed: seed, tracks, clips, seconds, overlap"),
        ({"tracks": 2}, r"corpora.generated_music.tracks: 2; allowed: a whole number from 3 to \d+"),
        ({"clips": True}, "clips: True"),
        ({"seconds": 0.1}, "seconds: 0.1; allowed: a number from 0.5 to 30"),
        ({"overlap": -0.1}, "overlap: -0.1; allowed: a number from 0 to 1"),
        ({"lofi": None}, "lofi: None"),
        ({"snr_low": 50, "snr_high": 10}, "snr_low: above snr_high; allowed: at most 10"),
        ({"loudness_high": 0}, "loudness_high: 0; allowed: a number from -50 to -6"),
    ],
)
def test_settings_are_checked(section: dict[str, object], problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        Settings.of(section)


def test_a_broken_run_leaves_no_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(generated_music, "in_processes", fail)
    with pytest.raises(OSError, match="disk full"):
        make(tmp_path / "corpus", SMALL)
    assert not list(tmp_path.iterdir())


def test_the_command_makes_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("corpora:\n  generated_music: {tracks: 3, clips: 1, seconds: 0.5}\n")
    assert main([str(tmp_path / "dest"), "--params", str(params)]) == 0
    assert "15 clips, 15 groups" in capsys.readouterr().out
    params.write_text("corpora:\n  generated_music: {tracks: 3, clip: 1}\n")
    assert main([str(tmp_path / "none"), "--params", str(params)]) == 1
    assert "unknown key clip" in capsys.readouterr().err
