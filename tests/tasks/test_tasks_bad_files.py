"""Files in a corpus that cannot be used are named with what is allowed; odd ones that are legal are read right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora import CorpusError
from tasks import clips, command, prepare, records

BAD = "wav/high_0.wav"
RATE = 16_000


def spoilt(samples: np.ndarray, rate: int = RATE, subtype: str = "FLOAT") -> Callable[[Path], None]:
    return lambda file: soundfile.write(file, samples, rate, subtype=subtype, format="WAV")


def with_one(value: float) -> np.ndarray:
    samples = np.full(RATE, 0.1, np.float32)
    samples[777] = value
    return samples


# What is done to the file, and the words of its refusal.
FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (lambda file: file.write_bytes(b""), "empty file"),
    "NaN": (spoilt(with_one(np.nan)), "NaN or infinite samples"),
    "infinite": (spoilt(with_one(-np.inf)), "NaN or infinite samples"),
    "all-zero": (spoilt(np.zeros(RATE), subtype="PCM_16"), "every sample is zero"),
    "two samples": (spoilt(np.array([0.1, -0.1]), subtype="PCM_16"), "too short: 2 samples"),
    "ten minutes": (spoilt(np.full(600 * 4000, 0.1), 4000, "PCM_U8"), "too long: 600.0 s"),
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:9000]), "truncated: "),
    "not audio": (lambda file: file.write_text("This is a letter, not a sound.\n" * 9), "not readable as audio"),
    "another format": (lambda file: soundfile.write(file, np.full(RATE, 0.1), RATE, format="OGG"), "OGG audio"),
}
LEGAL: dict[str, Callable[[Path, np.ndarray], Any]] = {
    "stereo": lambda file, tone: soundfile.write(file, np.stack([tone, tone], axis=1), RATE, subtype="PCM_16"),
    "24-bit": lambda file, tone: soundfile.write(file, tone, RATE, subtype="PCM_24"),
    "float": lambda file, tone: soundfile.write(file, tone, RATE, subtype="FLOAT"),
    "44.1 kHz": lambda file, tone: soundfile.write(file, resampled(tone), 44_100, subtype="PCM_16"),
}


def resampled(tone: np.ndarray) -> np.ndarray:
    import soxr

    return np.asarray(soxr.resample(tone, RATE, 44_100))


@pytest.fixture
def corpus(tmp_path: Path, write_tones: Any) -> Path:
    """Two labels, four groups, sixteen clips."""
    return Path(write_tones(tmp_path / "corpus", takes=2, groups=4, labels=("high", "low")))


def everything(data: Path) -> dict[str, np.ndarray]:
    """Every clip prepare wrote, by its path."""
    parts = [clips.read(data, name) for name in ("train", "validation", "test")]
    return {str(path): clip for part in parts for path, clip in zip(part.paths, part.audio, strict=True)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_file_is_refused_by_name(prepared: Any, corpus: Path, tmp_path: Path, tree: Any, fault: str) -> None:
    spoil, words = FAULTS[fault]
    spoil(corpus / BAD)
    before = tree(corpus)
    with pytest.raises(CorpusError) as caught:
        prepared.run("prepare", tmp_path / "data", corpus=corpus)
    assert BAD in str(caught.value)
    assert words in str(caught.value)
    assert "allowed" in str(caught.value)
    assert tree(corpus) == before, "the corpus is not ours to change"
    assert not (tmp_path / "data").exists()
    with pytest.raises(records.RecordError, match="run prepare"):
        clips.read(tmp_path / "data", "train")


@pytest.mark.parametrize("form", LEGAL)
def test_a_legal_form_is_read_right(prepared: Any, corpus: Path, tmp_path: Path, tone: Any, form: str) -> None:
    expected = tone("high", 0)
    LEGAL[form](corpus / BAD, expected)
    prepared.run("prepare", tmp_path / "data", corpus=corpus)
    found = everything(tmp_path / "data")[BAD]
    assert found.dtype == np.float32
    assert abs(len(found) - RATE) <= 1
    middle = slice(500, 15_500)  # resampling there and back rings at the ends
    assert np.abs(found[middle] - expected[middle]).max() < 0.02
    if form != "44.1 kHz":
        assert np.abs(found - expected).max() <= 2**-15


@pytest.mark.parametrize("fault", ["truncated", "NaN"])
def test_unreadable_files_may_be_left_out_and_are_recorded(
    prepared: Any, corpus: Path, tmp_path: Path, edited: Any, fault: str
) -> None:
    FAULTS[fault][0](corpus / BAD)
    record = prepared.run(
        "prepare", tmp_path / "data", corpus=corpus, params=edited({"prepare.unreadable": "leave_out"})
    )
    (left_out,) = record.facts["left_out"]
    assert BAD in left_out
    assert FAULTS[fault][1] in left_out
    assert set(everything(tmp_path / "data")) == {
        f"wav/{label}_{n}.wav" for label in ("high", "low") for n in range(8)
    } - {BAD}


@pytest.mark.parametrize(("silent", "kept"), [("allow", True), ("leave_out", False)])
def test_silent_files_may_be_kept_or_left_out(
    prepared: Any, corpus: Path, tmp_path: Path, edited: Any, silent: str, kept: bool
) -> None:
    FAULTS["all-zero"][0](corpus / BAD)
    record = prepared.run("prepare", tmp_path / "data", corpus=corpus, params=edited({"prepare.silent": silent}))
    assert (BAD in everything(tmp_path / "data")) == kept
    assert ["every sample is zero" in line for line in record.facts["left_out"]] == [True] * (not kept)


def test_leaving_out_unreadable_files_does_not_leave_out_silent_ones(
    prepared: Any, corpus: Path, tmp_path: Path, edited: Any
) -> None:
    FAULTS["all-zero"][0](corpus / BAD)
    with pytest.raises(CorpusError, match="every sample is zero"):
        prepared.run("prepare", tmp_path / "data", corpus=corpus, params=edited({"prepare.unreadable": "leave_out"}))


def test_a_class_that_is_left_out_of_a_split_is_refused(
    prepared: Any, corpus: Path, tmp_path: Path, edited: Any
) -> None:
    """What is left must still be a corpus: a class without a clip in test would be scored without ever being asked for."""
    prepared.run("prepare", tmp_path / "whole", corpus=corpus)
    for path in clips.read(tmp_path / "whole", "test").paths:
        if "high" in path:
            (corpus / path).write_bytes(b"")
    with pytest.raises(CorpusError, match=r"high.*test"):
        prepared.run("prepare", tmp_path / "data", corpus=corpus, params=edited({"prepare.unreadable": "leave_out"}))


def test_several_empty_files_may_be_left_out(prepared: Any, corpus: Path, tmp_path: Path, edited: Any) -> None:
    """Two empty files hold the same bytes, which says nothing about what was recorded."""
    for number in (0, 1):
        (corpus / f"wav/low_{number}.wav").write_bytes(b"")
    record = prepared.run(
        "prepare", tmp_path / "data", corpus=corpus, params=edited({"prepare.unreadable": "leave_out"})
    )
    assert len(record.facts["left_out"]) == 2


def test_several_silent_files_may_be_allowed(prepared: Any, corpus: Path, tmp_path: Path, edited: Any) -> None:
    """A class called silence is just that: clips of zeros, from everyone."""
    for number in (0, 1):
        FAULTS["all-zero"][0](corpus / f"wav/low_{number}.wav")
    prepared.run("prepare", tmp_path / "data", corpus=corpus, params=edited({"prepare.silent": "allow"}))
    assert len(everything(tmp_path / "data")) == 16


def test_many_bad_files_are_named_and_the_rest_counted(prepared: Any, corpus: Path, tmp_path: Path) -> None:
    for number in range(8):
        (corpus / f"wav/low_{number}.wav").write_text(f"{number} is not a sound, whatever its name may say")
    with pytest.raises(CorpusError) as caught:
        prepared.run("prepare", tmp_path / "data", corpus=corpus)
    assert str(caught.value).count("not readable as audio") == 5
    assert "and 3 more" in str(caught.value)
    assert "set prepare.unreadable or prepare.silent to leave_out" in str(caught.value)


def test_the_command_ends_in_words_and_status_1(prepared: Any, corpus: Path, tmp_path: Path) -> None:
    (corpus / BAD).write_bytes(b"")
    arguments = ["keywords", str(corpus), str(tmp_path / "data"), "--params", str(prepared.params)]
    with pytest.raises(SystemExit) as caught:
        command.main("prepare", prepare.run, arguments)
    assert str(caught.value).startswith("prepare keywords: ")
    assert BAD in str(caught.value)
