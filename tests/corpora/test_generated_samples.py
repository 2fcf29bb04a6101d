"""Generated samples: the folder form, the same bytes for a seed, labels that sound as they should, strict settings."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, generated_samples, read_audio, split
from corpora.corpus import content_hash
from corpora.generated_samples import Settings, main, make
from corpora.generated_samples.draws import Draws
from corpora.generated_samples.kits import Kit, collect
from corpora.generated_samples.takes import RATE, SOUNDS, Session, sample

SMALL = Settings(kits=4, takes=1)
PLAIN = Kit(
    "plain",
    1,
    held_rate=RATE,
    bits=16,
    slope=0,
    reverberation=0.1,
    distance=0,
    drive=0,
    pitch=0,
    length=1,
    brightness=1,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make(tmp_path_factory.mktemp("generated") / "small", SMALL)


def test_every_kit_has_everything(small: Corpus) -> None:
    assert set(small.labels) == set(SOUNDS)
    groups = {clip.group for clip in small.clips}
    assert len(groups) == 4
    for group in groups:
        assert Counter(clip.label for clip in small.clips if clip.group == group) == dict.fromkeys(SOUNDS, 1)


def test_samples_are_short_sounding_and_all_different(small: Corpus) -> None:
    for clip in small.clips:
        audio, rate = read_audio(small.file(clip))
        assert rate == 22_050
        assert 0.1 <= len(audio) / rate <= 1.5
        assert 0.01 < np.abs(audio).max() <= 0.981
    assert len({content_hash(small.file(clip)) for clip in small.clips}) == len(small.clips)


def test_it_splits_by_kit(small: Corpus) -> None:
    parts = split(small, {"train": 0.5, "validation": 0.25, "test": 0.25}, seed=0)
    assert {name: len({clip.group for clip in part}) for name, part in parts.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }


def test_corpus_json_says_what_it_is(small: Corpus) -> None:
    facts = json.loads((small.root / "corpus.json").read_text())
    assert small.name == facts["name"] == "generated samples"
    assert facts["settings"] == json.loads(json.dumps(SMALL.__dict__))


def test_the_same_settings_give_the_same_bytes(small: Corpus, tmp_path: Path) -> None:
    again = make(tmp_path / "again", SMALL, workers=1)
    assert again.digest() == small.digest()
    for name in ("labels.csv", "corpus.json"):
        assert (again.root / name).read_bytes() == (small.root / name).read_bytes()


def test_another_seed_or_kit_gives_others() -> None:
    session = Session(takes=1, overlap=0.5, layering=0.5, snr=(30, 30), loudness=(-20, -20))
    kits = (*collect(2, 7, 2.5, 0.6), *collect(1, 8, 2.5, 0.6))
    takes = [sample("snare", kit, session, np.ones(1, np.float32), kit.generator("snare/0")) for kit in kits]
    assert not any(np.array_equal(one, other) for one, other in combinations(takes, 2))


def _sounds(label: str, overlap: float = 0.0, count: int = 12) -> list[np.ndarray]:
    return [SOUNDS[label](Draws(np.random.default_rng(seed), overlap), PLAIN, RATE) for seed in range(count)]


def _centroid(audio: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(audio)) ** 2
    return float((power * np.fft.rfftfreq(len(audio), 1 / RATE)).sum() / power.sum())


def _rise(audio: np.ndarray) -> float:
    """Seconds until half of the loudest 10 ms is reached."""
    frames = np.abs(audio[: len(audio) // 220 * 220]).reshape(-1, 220).max(axis=1)
    return float(np.flatnonzero(frames >= 0.5 * frames.max())[0] * 220 / RATE)


def _noisiness(audio: np.ndarray) -> float:
    """Spectral flatness: geometric by arithmetic mean of the power, near 1 for noise."""
    power = np.abs(np.fft.rfft(audio)) ** 2 + 1e-9
    return float(np.exp(np.log(power).mean()) / power.mean())


def test_labels_differ_in_height_attack_and_noise() -> None:
    """Medians of sounds without overlap: where a label's energy is, how soon it is there, and how noisy it is."""
    sounds = {label: _sounds(label) for label in SOUNDS}
    height = {label: np.median([_centroid(sound) for sound in group]) for label, group in sounds.items()}
    assert height["kick"] < height["tom"] < height["snare"] < height["hat"]
    assert height["bass"] < height["pluck"]
    assert height["clap"] < height["hat"]
    rise = {label: np.median([_rise(sound) for sound in group]) for label, group in sounds.items()}
    assert max(rise[label] for label in ("kick", "snare", "hat", "tom", "pluck", "bass")) < 0.03
    assert rise["pad"] > 2 * rise["brass"] > 0.03
    noise = {label: np.median([_noisiness(sound) for sound in group]) for label, group in sounds.items()}
    assert min(noise[label] for label in ("snare", "hat", "clap")) > 10 * max(
        noise[label] for label in ("kick", "tom", "bass", "pad", "brass")
    )


def test_overlap_takes_labels_nearer() -> None:
    """How often a sound of one label is higher, or slower, than one of its neighbour that as a rule is more so."""

    def crossing(overlap: float) -> float:
        found = []
        for less, more, measure in (("kick", "tom", _centroid), ("bass", "pluck", _centroid), ("brass", "pad", _rise)):
            low, high = (np.array([measure(sound) for sound in _sounds(label, overlap, 24)]) for label in (less, more))
            found.append(np.mean(low[:, None] >= high))
        return float(np.mean(found))

    assert crossing(0.0) + 0.05 < crossing(1.0) < 0.3


def test_draws_stay_in_their_ranges() -> None:
    usual, wide = (100.0, 200.0), (50.0, 800.0)
    for overlap, low, high in ((0.0, 100, 200), (0.5, 70.7, 400), (1.0, 50, 800)):
        draws = Draws(np.random.default_rng(0), overlap)
        values = [draws.ratio(usual, wide) for _ in range(500)]
        assert low <= min(values) < 1.1 * low
        assert 0.9 * high < max(values) <= high
    assert 100 <= Draws(np.random.default_rng(0), 0).value(usual, wide) <= 200


def test_kits_have_a_character() -> None:
    kits = collect(40, 7, 2.5, 0.6)
    assert len({kit.name for kit in kits}) == 40
    assert len({kit.pitch for kit in kits}) == 40
    assert {kit.bits for kit in kits} > {16}
    assert min(kit.held_rate for kit in kits) < 16_000 < max(kit.held_rate for kit in kits)
    assert collect(40, 7, 2.5, 0.6) == kits != collect(40, 8, 2.5, 0.6)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"kit": 3}, "unknown key kit; allowed: seed, kits, takes, overlap"),
        ({"kits": 2}, "corpora.generated_samples.kits: 2; allowed: a whole number from 3 to 1000"),
        ({"takes": 1.0}, "a whole number"),
        ({"overlap": 1.5}, "overlap: 1.5; allowed: a number from 0 to 1"),
        ({"layering": float("nan")}, "layering: nan"),
        ({"snr_low": 50, "snr_high": 10}, "snr_low: above snr_high; allowed: at most 10"),
        ({"loudness_low": -8, "loudness_high": -20}, "loudness_low: above loudness_high"),
        ({"slope": "steep"}, "slope: 'steep'"),
    ],
)
def test_settings_are_checked(section: dict[str, object], problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        Settings.of(section)


def test_a_broken_run_leaves_the_old_corpus(small: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dest = tmp_path / "corpus"
    shutil.copytree(small.root, dest)
    before = sorted(dest.rglob("*"))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(generated_samples, "in_processes", fail)
    with pytest.raises(OSError, match="disk full"):
        make(dest, SMALL)
    assert sorted(dest.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_the_command_makes_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("corpora:\n  generated_samples: {kits: 3, takes: 1}\n")
    assert main([str(tmp_path / "dest"), "--params", str(params), "--workers", "1"]) == 0
    assert "30 clips, 3 groups" in capsys.readouterr().out
    params.write_text("corpora: {}\n")
    assert main([str(tmp_path / "none"), "--params", str(params)]) == 1
    assert "no section corpora.generated_samples" in capsys.readouterr().err
