"""Generated phrases: phones that are said, voices that keep apart, the same bytes for a seed, strict settings."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from corpora import Corpus, CorpusError, acoustics, pronounced, read_audio
from corpora.corpus import content_hash
from corpora.espeak import open_espeak
from corpora.generated_phrases import PHONES, Settings, main, make
from corpora.generated_phrases.phones import FOLDING, fold
from corpora.generated_phrases.words import WORDS
from corpora.speakers import VARIANTS

RATE = 16_000
SMALL = Settings(voices=4, phrases=5)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make(tmp_path_factory.mktemp("phrases") / "small", SMALL)


def _text(path: str) -> str:
    return Path(path).stem.partition("_")[2].replace("-", " ")


def test_labels_are_phones_and_groups_are_voices(small: Corpus) -> None:
    assert len(small.clips) == 20
    voices = {variant.lower().replace(" ", "-") for variant in VARIANTS}
    assert Counter(Counter(clip.group for clip in small.clips).values()) == {5: 4}
    assert {clip.group for clip in small.clips} <= voices
    for clip in small.clips:
        phones = clip.label.split(" ")
        assert set(phones) <= set(PHONES)
        assert len(phones) >= 4


def test_the_label_is_what_is_said(small: Corpus) -> None:
    for clip in small.clips:
        text = _text(clip.path)
        assert 2 <= len(text.split()) <= 4
        assert clip.label == " ".join(fold(" ".join(open_espeak().phonemes(text, "en-us"))))


def test_phrases_of_the_voices_differ(small: Corpus) -> None:
    texts = [_text(clip.path) for clip in small.clips]
    assert len(set(texts)) == len(texts)
    assert len({content_hash(small.file(clip)) for clip in small.clips}) == len(texts)


def test_clips_are_short_and_audible(small: Corpus) -> None:
    for clip in small.clips:
        audio, rate = read_audio(small.file(clip))
        assert rate == RATE
        assert 0.8 <= len(audio) / rate <= 2.5
        assert np.abs(audio).max() <= 0.981
        assert -36 < acoustics.loudness(audio) < -5


def test_silence_around_a_phrase_is_modest_and_varied(tmp_path: Path) -> None:
    clean = Settings(voices=3, phrases=6, words_low=3, words_high=3, snr_low=60, snr_high=60, reverberation=0.06)
    corpus = make(tmp_path / "clean", clean)
    before, after = [], []
    for clip in corpus.clips:
        audio, _ = read_audio(corpus.file(clip))
        heard = np.flatnonzero(np.abs(audio) > 0.02 * np.abs(audio).max())
        before.append(heard[0] / RATE)
        after.append((len(audio) - heard[-1]) / RATE)
    assert 0.03 < min(before) < max(before) < 0.5
    assert 0.05 < min(after) < max(after) < 0.6
    assert np.std(before) > 0.02
    assert np.std(after) > 0.02


def test_the_same_settings_give_the_same_bytes(small: Corpus, tmp_path: Path) -> None:
    again = make(tmp_path / "again", SMALL, workers=1)
    assert again.digest() == small.digest()
    for name in ("labels.csv", "corpus.json"):
        assert (again.root / name).read_bytes() == (small.root / name).read_bytes()


def test_another_seed_gives_others(small: Corpus, tmp_path: Path) -> None:
    other = make(tmp_path / "other", Settings(seed=8, voices=3, phrases=2))
    assert not {clip.label for clip in small.clips} & {clip.label for clip in other.clips}


def test_corpus_json_says_what_it_is(small: Corpus) -> None:
    facts = json.loads((small.root / "corpus.json").read_text())
    assert small.name == facts["name"] == "generated phrases"
    assert facts["settings"]["voices"] == 4
    assert "GPL-3" in facts["note"]


def test_every_voice_is_used_by_default() -> None:
    assert Settings().voices == len(VARIANTS) == 84


def test_the_words_bring_every_phone_often() -> None:
    assert len(set(WORDS)) == len(WORDS) >= 300
    spoken = [fold(" ".join(open_espeak().phonemes(word, "en-us"))) for word in WORDS]
    counts = Counter(phone for phones in spoken for phone in set(phones))
    assert set(counts) == set(PHONES)
    assert min(counts.values()) >= 15


def test_the_inventory_is_arpabet_without_stress() -> None:
    assert len(PHONES) == len(set(PHONES)) == 39
    assert {phone for phones in FOLDING.values() for phone in phones} == set(PHONES)


@pytest.mark.parametrize("word", [word for word in pronounced.DIGITS if word != "zero"])
def test_folding_agrees_with_the_pronouncing_dictionary(word: str) -> None:
    assert " ".join(fold(open_espeak().phonemes(word, "en-us")[0])) == pronounced.DIGITS[word]


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("water", "W AO T ER"),
        ("button", "B AH T AH N"),
        ("bottle", "B AA T AH L"),
        ("measure", "M EH ZH ER"),
        ("church", "CH ER CH"),
        ("judge", "JH AH JH"),
        ("square", "S K W EH R"),
        ("language", "L AE NG G W IH JH"),
        ("the other boy", "DH IH AH DH ER B OY"),
    ],
)
def test_how_words_fold(text: str, phones: str) -> None:
    assert " ".join(fold(open_espeak().phonemes(text, "en-us")[0])) == phones


def test_a_sign_without_a_phone_is_named() -> None:
    with pytest.raises(CorpusError, match=r"'h ˈɒ t y': no phone for y, ɒ; allowed: ɑː .*ʒ"):
        fold("h ˈɒ t y")


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"voice": 3}, "corpora.generated_phrases: unknown key voice; allowed: seed, voices, phrases"),
        ({"voices": 85}, r"corpora.generated_phrases.voices: 85; allowed: a whole number from 3 to 84"),
        ({"phrases": 0}, "phrases: 0"),
        ({"words_low": 4, "words_high": 3}, "words_low: above words_high; allowed: at most 3"),
        ({"speed_high": 500}, "speed_high: 500; allowed: a number from 80 to 400"),
        ({"snr_low": 20, "snr_high": 10}, "snr_low: above snr_high; allowed: at most 10"),
        ({"rooms": True}, "rooms: True"),
        ({"reverberation": None}, "reverberation: None"),
    ],
)
def test_settings_are_checked(section: dict[str, object], problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        Settings.of(section)


def test_the_command_makes_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("corpora:\n  generated_phrases: {voices: 3, phrases: 2}\n")
    assert main([str(tmp_path / "dest"), "--params", str(params), "--workers", "1"]) == 0
    assert "6 clips, 3 groups" in capsys.readouterr().out
    params.write_text("corpora: {}\n")
    assert main([str(tmp_path / "none"), "--params", str(params)]) == 1
    assert "a mapping under corpora.generated_phrases" in capsys.readouterr().err
