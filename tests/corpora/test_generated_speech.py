"""Generated speech: the folder form, the same bytes for a seed, audible words that are not cut off, strict settings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, acoustics, generated_speech, read_audio, split
from corpora.corpus import content_hash
from corpora.generated_speech import Settings, main, make
from corpora.generated_speech.takes import BACKGROUNDS, Booth, Script
from corpora.generated_speech.words import DIGITS
from corpora.speakers import ACCENTS, MOST, VARIANTS, cast

SMALL = Settings(voices=4, takes=1, unknown=3, silence=2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make(tmp_path_factory.mktemp("generated") / "small", SMALL)


def test_every_voice_says_everything(small: Corpus) -> None:
    assert set(small.labels) == {*DIGITS, "unknown", "silence"}
    each = dict.fromkeys(DIGITS, 1) | {"unknown": 3, "silence": 2}
    groups = {clip.group for clip in small.clips}
    assert len(groups) == 4
    for group in groups:
        assert Counter(clip.label for clip in small.clips if clip.group == group) == each


def test_clips_are_one_second_and_all_different(small: Corpus) -> None:
    for clip in small.clips:
        audio, rate = read_audio(small.file(clip))
        assert (rate, audio.shape) == (16_000, (16_000,))
        assert np.abs(audio).max() <= 0.981
    assert len({content_hash(small.file(clip)) for clip in small.clips}) == len(small.clips)


def test_it_splits_by_voice(small: Corpus) -> None:
    parts = split(small, {"train": 0.5, "validation": 0.25, "test": 0.25}, seed=0)
    assert {name: len({clip.group for clip in part}) for name, part in parts.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }


def test_corpus_json_says_what_it_is(small: Corpus) -> None:
    facts = json.loads((small.root / "corpus.json").read_text())
    assert small.name == facts["name"] == "generated speech"
    assert facts["settings"]["voices"] == 4
    assert "GPL-3" in facts["note"]


def test_the_same_settings_give_the_same_bytes(small: Corpus, tmp_path: Path) -> None:
    again = make(tmp_path / "again", SMALL, workers=1)
    assert again.digest() == small.digest()
    for name in ("labels.csv", "corpus.json"):
        assert (again.root / name).read_bytes() == (small.root / name).read_bytes()


def test_another_seed_gives_others(small: Corpus, tmp_path: Path) -> None:
    other = make(tmp_path / "other", Settings(seed=8, voices=3, takes=1, unknown=1, silence=1))
    assert not {content_hash(small.file(clip)) for clip in small.clips} & {
        content_hash(other.file(clip)) for clip in other.clips
    }


def test_a_longer_vocal_tract_moves_the_formants_and_not_the_tempo() -> None:
    speaker = cast(1, 7, 0.3, BACKGROUNDS)[0]
    booth = Booth(speaker, Script(1, 1, 0.0, 1, snr=(30.0, 30.0), loudness=(-20.0, -20.0), throat=0.0))
    words = []
    for booth.throat in (0.9, 1.1):
        spectra = [np.abs(np.fft.rfft(booth._say("seven", np.random.default_rng(3)), 16_000)) ** 2 for _ in range(9)]
        power = np.mean(spectra, axis=0)[:4000]
        words.append((np.sum(np.arange(4000) * power) / power.sum(), booth._say("seven", np.random.default_rng(3))))
    (low, short), (high, long) = words
    assert high > 1.1 * low, "centre of the spectrum, Hz"
    assert 0.85 < len(short) / len(long) < 1.15


def test_words_stand_clear_of_the_edges(tmp_path: Path) -> None:
    clear = Settings(voices=3, takes=2, unknown=4, silence=1, snr_low=60, snr_high=60, reverberation=0.06)
    corpus = make(tmp_path / "clear", clear)
    for clip in corpus.clips:
        if clip.label != "silence":
            audio, _ = read_audio(corpus.file(clip))
            edges = np.r_[audio[:160], audio[-160:]]
            level = 10 * np.log10(np.mean(edges**2) + 1e-12)
            assert level < acoustics.loudness(audio) - 30, clip.path
            assert -36 < acoustics.loudness(audio) < -5, clip.path


def test_a_broken_run_leaves_the_old_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dest = tmp_path / "corpus"
    make(dest, Settings(voices=3, takes=1, unknown=1, silence=1))
    before = sorted(dest.rglob("*"))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(generated_speech, "write_facts", fail)
    with pytest.raises(OSError, match="disk full"):
        make(dest, Settings(voices=4, takes=1, unknown=1, silence=1))
    assert sorted(dest.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_the_cast_is_as_varied_as_can_be() -> None:
    speakers = cast(60, 7, 0.5, BACKGROUNDS)
    assert len({speaker.variant for speaker in speakers}) == 60
    assert {speaker.accent for speaker in speakers} == set(ACCENTS)
    assert {speaker.background for speaker in speakers} == set(BACKGROUNDS)
    assert cast(60, 7, 0.5, BACKGROUNDS) == speakers != cast(60, 8, 0.5, BACKGROUNDS)
    everyone = cast(MOST, 7, 0.5, BACKGROUNDS)
    assert len({speaker.name for speaker in everyone}) == len(ACCENTS) * len(VARIANTS)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"voice": 3}, "unknown key voice; allowed: seed, voices, takes"),
        ({"voices": 2}, r"corpora.generated_speech.voices: 2; allowed: a whole number from 3 to \d+"),
        ({"voices": 48.0}, "a whole number"),
        ({"takes": True}, "takes: True"),
        ({"takes": "6"}, "takes: '6'"),
        ({"snr_low": None}, "snr_low: None; allowed: a number from -20 to 60"),
        ({"snr_high": float("nan")}, "snr_high: nan"),
        ({"snr_low": 20, "snr_high": 10}, "snr_low: above snr_high; allowed: at most 10"),
        ({"reverberation": 99}, "reverberation: 99"),
        ({"throat": 0.3}, "throat: 0.3; allowed: a number from 0 to 0.1"),
    ],
)
def test_settings_are_checked(section: dict[str, object], problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        Settings.of(section)


def test_settings_come_from_params(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("corpora:\n  generated_speech: {seed: 3, voices: 5, snr_low: 1}\n")
    assert Settings.read(params) == Settings(seed=3, voices=5, snr_low=1)


@pytest.mark.parametrize("text", ["corpora: {}", "[]", "corpora:\n  generated_speech: 3", "a: [", ""])
def test_params_without_the_section(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(text)
    assert main([str(tmp_path / "dest"), "--params", str(params)]) == 1
    assert "params.yaml" in capsys.readouterr().err
    assert not (tmp_path / "dest").exists()


def test_the_command_makes_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("corpora:\n  generated_speech: {voices: 3, takes: 1, unknown: 1, silence: 1}\n")
    assert main([str(tmp_path / "dest"), "--params", str(params), "--workers", "1"]) == 0
    assert "36 clips, 3 groups" in capsys.readouterr().out


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(CorpusError, match="no corpus of ours"):
        make(tmp_path, SMALL)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_program_that_workers_cannot_import_is_refused(tmp_path: Path) -> None:
    """Fed on standard input, a script has no file: workers would die at their start and be started again without end."""
    code = (
        f"from corpora.generated_speech import make, Settings\nmake({str(tmp_path / 'dest')!r}, Settings(voices=3))\n"
    )
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=False, timeout=60)
    assert "called from <stdin>; allowed: a file or a module that workers can import" in done.stderr.splitlines()[-1]
