"""Generated lungs: the folder form, the same bytes for a seed, sounds that are what their labels say, strict settings."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, acoustics, read_audio, split
from corpora.corpus import content_hash
from corpora.generated_lungs import LABELS, Settings, adventitious, breathing, main, make
from corpora.generated_lungs.adventitious import COARSE, FINE
from corpora.generated_lungs.events import audibility
from corpora.generated_lungs.patients import admit

RATE = 8_000
SMALL = Settings(patients=3, clips=8)
# Nothing faint, nothing in the way: here the labels can be proven.
CLEAR = Settings(patients=3, clips=15, faint=45, loud=45, snr_low=50, snr_high=50, friction=0)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make(tmp_path_factory.mktemp("lungs") / "small", SMALL)


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[np.ndarray]]:
    """The middle second of every clip, by label."""
    corpus = make(tmp_path_factory.mktemp("lungs") / "clear", CLEAR)
    heard: dict[str, list[np.ndarray]] = {label: [] for label in LABELS}
    for clip in corpus.clips:
        audio, _ = read_audio(corpus.file(clip))
        at = (len(audio) - RATE) // 2
        heard[clip.label].append(audio[at : at + RATE].astype(np.float64))
    return heard


def test_every_patient_has_everything(small: Corpus) -> None:
    assert set(small.labels) == set(LABELS) == {"normal", "crackle", "wheeze", "rhonchi"}
    groups = {clip.group for clip in small.clips}
    assert len(groups) == 3
    for group in groups:
        counts = Counter(clip.label for clip in small.clips if clip.group == group)
        assert counts == {"normal": 2, "crackle": 2, "wheeze": 2, "rhonchi": 2}


def test_normal_is_twice_as_common_as_each_other() -> None:
    counts = Settings()
    assert counts.clips - 3 * round(counts.clips / 5) == pytest.approx(2 * counts.clips / 5, abs=1)


def test_clips_are_one_to_two_seconds_and_all_different(small: Corpus) -> None:
    lengths = set()
    for clip in small.clips:
        audio, rate = read_audio(small.file(clip))
        assert rate == RATE
        assert RATE <= len(audio) <= 2 * RATE
        assert np.abs(audio).max() <= 0.981
        lengths.add(len(audio))
    assert len(lengths) > 10
    assert len({content_hash(small.file(clip)) for clip in small.clips}) == len(small.clips)


def test_it_splits_by_patient(small: Corpus) -> None:
    parts = split(small, {"train": 0.4, "validation": 0.3, "test": 0.3}, seed=0)
    assert [len({clip.group for clip in part}) for part in parts.values()] == [1, 1, 1]


def test_corpus_json_says_what_it_is(small: Corpus) -> None:
    facts = json.loads((small.root / "corpus.json").read_text())
    assert small.name == facts["name"] == "generated lungs"
    assert facts["settings"]["patients"] == 3
    assert "never for medicine" in facts["note"]


def test_the_same_settings_give_the_same_bytes(small: Corpus, tmp_path: Path) -> None:
    again = make(tmp_path / "again", SMALL, workers=1)
    assert again.digest() == small.digest()
    for name in ("labels.csv", "corpus.json"):
        assert (again.root / name).read_bytes() == (small.root / name).read_bytes()


def test_another_seed_gives_others(small: Corpus, tmp_path: Path) -> None:
    other = make(tmp_path / "other", Settings(seed=8, patients=3, clips=4))
    assert not {content_hash(small.file(clip)) for clip in small.clips} & {
        content_hash(other.file(clip)) for clip in other.clips
    }


def test_patients_differ_and_children_breathe_faster() -> None:
    patients = admit(60, 7, 0.5)
    assert len({patient.name for patient in patients}) == 60
    assert admit(60, 7, 0.5) == patients != admit(60, 8, 0.5)
    rates = [np.mean([patient.breaths for patient in admit(60, 7, share)]) for share in (0.0, 1.0)]
    assert rates[0] < 22 < rates[1]


def _kurtosis(audio: np.ndarray) -> float:
    """The fourth moment of what is above 100 Hz, where the heart is not: 3 for steady noise, more for bursts."""
    sharp = breathing.shape(audio, RATE, 100, RATE, 6)
    return float(np.mean(sharp**4) / np.mean(sharp**2) ** 2)


def _line(audio: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The strongest line between two frequencies: dB above the median of the 250 Hz about it, and where it is, in Hz."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, 1_024)[::256] * np.hanning(1_024)
    powers = np.pad((np.abs(np.fft.rfft(frames)) ** 2).mean(axis=0), 16, "reflect")
    about = np.median(np.lib.stride_tricks.sliding_window_view(powers, 33), axis=1)
    pitches = np.fft.rfftfreq(1_024, 1 / RATE)
    within = (pitches >= low) & (pitches <= high)
    strengths = 10 * np.log10(powers[16:-16] / about)[within]
    return float(strengths.max()), float(pitches[within][strengths.argmax()])


def test_crackles_are_bursts(clear: dict[str, list[np.ndarray]]) -> None:
    crackle, normal = ([_kurtosis(audio) for audio in clear[label]] for label in ("crackle", "normal"))
    assert min(crackle) > 1.5 * max(normal)
    assert np.median(crackle) > 8 * np.median(normal)


def test_wheezes_have_a_line(clear: dict[str, list[np.ndarray]]) -> None:
    wheeze, normal = ([_line(audio, 120, 1_500)[0] for audio in clear[label]] for label in ("wheeze", "normal"))
    assert min(wheeze) > max(normal) + 3
    assert np.median(wheeze) > np.median(normal) + 12


def test_rhonchi_are_low(clear: dict[str, list[np.ndarray]]) -> None:
    rhonchi, normal = ([_line(audio, 80, 1_500) for audio in clear[label]] for label in ("rhonchi", "normal"))
    assert min(strength for strength, _ in rhonchi) > max(strength for strength, _ in normal) + 3
    assert max(pitch for _, pitch in rhonchi) < 350


@pytest.mark.parametrize("kind", [FINE, COARSE], ids=["fine", "coarse"])
def test_crackles_have_the_widths_they_are_given(kind: adventitious.Crackle) -> None:
    fine_rate = 1_000_000
    initial, two_cycle = (np.full((1, 1), np.mean(widths) / 1_000) for widths in (kind.initial, kind.two_cycle))
    times = np.arange(round(1.2 * float(two_cycle[0, 0]) * fine_rate)) / fine_rate
    wave = adventitious.deflect(times, initial, two_cycle)[0]
    crossings = np.flatnonzero(np.diff(np.sign(wave[1:])) != 0) / fine_rate
    assert crossings[0] == pytest.approx(initial[0, 0], rel=0.01)
    assert len(crossings) in (3, 4)  # the last one is where it ends
    assert np.abs(wave[times > two_cycle[0, 0]]).max() < 1e-9
    assert 0.5 < np.abs(wave).max() <= 1


@pytest.mark.parametrize("seed", range(8))
def test_a_model_that_hears_the_middle_second_hears_the_sound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sounds = {
        "fine": adventitious.crackles(2 * RATE, RATE, FINE, rng),
        "coarse": adventitious.crackles(2 * RATE, RATE, COARSE, rng),
        "wheeze": adventitious.wheeze(2 * RATE, RATE, 400, rng),
        "rhonchus": adventitious.rhonchus(2 * RATE, RATE, 100, rng),
    }
    for name, sound in sounds.items():
        assert sound.any(), name
        assert not sound[: RATE // 2].any(), name
        assert not sound[-RATE // 2 :].any(), name
    for name, least in (("wheeze", 0.1), ("rhonchus", 0.18)):
        assert np.count_nonzero(sounds[name]) / RATE > least, name


@pytest.mark.parametrize("seed", range(8))
def test_wheezes_and_rhonchi_keep_to_their_band(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for sound, low, high in (
        (adventitious.wheeze(RATE, RATE, float(rng.uniform(120, 900)), rng), 90, 1_050),
        (adventitious.rhonchus(RATE, RATE, float(rng.uniform(60, 180)), rng), 40, 420),
    ):
        powers = np.abs(np.fft.rfft(sound)) ** 2
        pitches = np.fft.rfftfreq(RATE, 1 / RATE)
        assert powers[(pitches > low) & (pitches < high)].sum() > 0.8 * powers.sum()


def test_a_breath_is_in_out_and_pause() -> None:
    air = breathing.flow(np.arange(4 * RATE) / RATE, 4.0, 0.4)
    inward, outward, pause = air[: int(1.6 * RATE)], air[int(1.61 * RATE) : int(3.6 * RATE)], air[int(3.65 * RATE) :]
    assert inward.min() >= 0
    assert inward.max() == pytest.approx(1, abs=1e-3)
    assert outward.max() <= 0
    assert outward.min() == pytest.approx(-1, abs=1e-3)
    assert np.abs(pause).max() < 1e-9
    noise = breathing.breath(air, RATE, 200, 14, 0.5, np.random.default_rng(0))
    levels = [acoustics.loudness(noise[at : at + 2_000]) for at in (5_400, 18_000, 29_500)]
    assert levels[0] > levels[1] + 3 > levels[2] + 6


def test_audibility_counts_what_stands_out() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(RATE) / RATE
    background = breathing.shape(rng.standard_normal(RATE), RATE, 60, 200, 24)
    low, high = (np.sin(2 * np.pi * pitch * times) for pitch in (150, 900))
    assert audibility(10 * low, background) - audibility(low, background) == pytest.approx(20, abs=1e-6)
    assert audibility(high, background) > audibility(low, background) + 20
    # In white noise it is the energy of the sound over the noise's variance.
    burst, noise = rng.standard_normal((2, RATE))
    assert audibility(burst, 0.1 * noise) == pytest.approx(10 * np.log10(RATE / 0.1**2), abs=0.5)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"patient": 3}, "corpora.generated_lungs: unknown key patient; allowed: seed, patients, clips"),
        ({"patients": 2}, r"corpora.generated_lungs.patients: 2; allowed: a whole number from 3 to 1000"),
        ({"clips": 3}, "clips: 3; allowed: a whole number from 4"),
        ({"clips": 24.0}, "a whole number"),
        ({"children": 1.1}, "children: 1.1; allowed: a number from 0 to 1"),
        ({"faint": 30, "loud": 20}, "faint: above loud; allowed: at most 20"),
        ({"snr_low": 20, "snr_high": 10}, "snr_low: above snr_high; allowed: at most 10"),
        ({"loud": float("nan")}, "loud: nan"),
        ({"friction": "0.3"}, "friction: '0.3'"),
    ],
)
def test_settings_are_checked(section: dict[str, object], problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        Settings.of(section)


def test_the_command_makes_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("corpora:\n  generated_lungs: {patients: 3, clips: 4}\n")
    assert main([str(tmp_path / "dest"), "--params", str(params), "--workers", "1"]) == 0
    assert "12 clips, 3 groups" in capsys.readouterr().out
    params.write_text("corpora: {}\n")
    assert main([str(tmp_path / "none"), "--params", str(params)]) == 1
    assert "a mapping under corpora.generated_lungs" in capsys.readouterr().err
