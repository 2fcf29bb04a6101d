"""espeak-ng: it speaks, as told; it spells phonemes; it names what it does not know."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from corpora import CorpusError
from corpora.espeak import Espeak, Speech, open_espeak
from corpora.generated_speech.words import DIGITS, OTHERS
from corpora.speakers import ACCENTS, VARIANTS


def test_voices_and_variants_are_listed() -> None:
    espeak = open_espeak()
    assert espeak is open_espeak()
    assert espeak.rate == 22_050
    assert set(ACCENTS) <= set(espeak.voices)
    assert set(VARIANTS) <= set(espeak.variants)


def test_speech_is_audible_and_not_clipped() -> None:
    sound = open_espeak().speak("seven", Speech("en-us", "f1"))
    assert sound.dtype == np.float32
    assert 0.2 * 22_050 < len(sound) < 22_050
    assert 0.05 < np.abs(sound).max() < 1.0


def test_speed_pitch_and_volume_are_heard() -> None:
    espeak = open_espeak()
    plain, slow, soft = (espeak.speak("seventy", speech) for speech in (Speech(), Speech(speed=90), Speech(volume=30)))
    assert len(slow) > 1.4 * len(plain)
    assert np.abs(soft).max() < 0.6 * np.abs(plain).max()
    low, high = (_pitch(espeak.speak("arm", Speech(pitch=pitch, pitch_range=0))) for pitch in (10, 90))
    assert high > 1.3 * low


def _pitch(sound: np.ndarray) -> float:
    """The pitch in Hz at the loudest place, by autocorrelation between 60 and 250 Hz, formants smoothed away."""
    middle = int(np.abs(sound).argmax())
    piece = sound[max(middle - 1_000, 0) : middle + 1_000].astype(np.float64)
    piece = np.convolve(piece, np.ones(60), "same")
    alike = np.correlate(piece, piece, "full")[len(piece) - 1 :]
    first = 22_050 // 250
    return 22_050 / (first + int(alike[first : 22_050 // 60].argmax()))


def test_phonemes() -> None:
    espeak = open_espeak()
    assert espeak.phonemes("seven") == ("s ˈɛ v ə n",)
    assert espeak.phonemes("seven", separator="_", ipa=False) == ("s_'E_v_@_n",)
    assert espeak.phonemes("seven", separator="") == ("sˈɛvən",)
    assert len(espeak.phonemes("one, two")) == 2


@pytest.mark.parametrize("accent", ACCENTS)
def test_no_other_word_sounds_as_a_digit(accent: str) -> None:
    espeak = open_espeak()

    def sounds(word: str) -> str:
        # Stress apart; and "t[" is the t that some accents have in "three".
        return espeak.phonemes(word, accent, ipa=False)[0].translate(str.maketrans("", "", "',[%"))

    assert len(set(OTHERS)) == len(OTHERS) >= 80
    digits = {sounds(word): word for word in DIGITS}
    assert len(digits) == 10
    assert {word: digits[sounds(word)] for word in OTHERS if sounds(word) in digits} == {}


@pytest.mark.parametrize(
    ("speech", "problem"),
    [
        (Speech("en-moon"), "unknown voice 'en-moon'; allowed: .*en-gb"),
        (Speech("en-us", "nobody"), "unknown variant 'nobody'; allowed: .*croak"),
    ],
)
def test_unknown_voices_and_variants(speech: Speech, problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        open_espeak().speak("one", speech)


def test_impossible_settings() -> None:
    with pytest.raises(CorpusError, match=r"speech.speed: 1000; allowed: 80 to 450"):
        Speech(speed=1_000)
    with pytest.raises(CorpusError, match="said nothing"):
        open_espeak().speak("")
    with pytest.raises(CorpusError, match="one character, or none"):
        open_espeak().phonemes("one", separator="--")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: "/nowhere/libespeak-ng.so")
    with pytest.raises(CorpusError, match=r"does not load.*pip install espeakng-loader"):
        Espeak()


def test_threads_take_turns() -> None:
    espeak = open_espeak()
    voices = [Speech("en-us", "m1"), Speech("en-gb", "f2", speed=300)] * 8
    with ThreadPoolExecutor(4) as pool:
        lengths = [len(sound) for sound in pool.map(lambda speech: espeak.speak("zero", speech), voices)]
    assert max(lengths[1::2]) < min(lengths[::2])


SAY = """
import hashlib
from corpora.espeak import Speech, open_espeak
sounds = [open_espeak().speak(word, Speech("en-gb", who)) for who in ("Alicia", "f5", "croak") for word in ("one", "six")]
print([hashlib.sha256(sound.tobytes()).hexdigest() for sound in sounds])
"""


def test_the_same_calls_in_a_fresh_process_sound_the_same() -> None:
    said = {subprocess.run([sys.executable, "-c", SAY], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(said) == 1


LONG = """
import shutil, sys, espeakng_loader
deep = sys.argv[1]
shutil.copytree(espeakng_loader.get_data_path(), deep)
espeakng_loader.get_data_path = lambda: deep
from corpora.espeak import open_espeak
print(len(open_espeak().speak("one")) > 2_000)
"""


def test_a_data_path_longer_than_espeak_takes(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100) / "espeak-ng-data"
    done = subprocess.run([sys.executable, "-c", LONG, str(deep)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
