"""ICBHI 2017: a small folder of the published layout, what becomes of it, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora import Corpus, CorpusError, icbhi, split

Write = Callable[..., Path]
RATE = 4_000
# Patient, part of each of its recordings. 156 is in both parts, as in the set itself.
PATIENTS = {
    "101": "test",
    "103": "train",
    "105": "train",
    "107": "train",
    "108": "train",
    "110": "train",
    "113": "test",
}
PLACES = ("Al", "Pr")
LINES = ("0.036\t0.5\t0\t0", "0.5\t1.0\t1\t0", "1.0\t1.5\t0\t1", "1.5\t2.0\t1\t1")


@pytest.fixture
def layout(write_sound: Write, tmp_path: Path) -> Path:
    """Sixteen recordings of two seconds with four breaths each, in a folder of their own, and the split beside it."""
    split_lines = []
    recordings = [(patient, place, part) for patient, part in PATIENTS.items() for place in PLACES]
    for patient, place, part in [*recordings, ("156", "Al", "train"), ("156", "Pr", "test")]:
        name = f"{patient}_1b1_{place}_sc_Meditron"
        samples = np.random.default_rng([int(patient), ord(place[0])]).uniform(-0.5, 0.5, 2 * RATE)
        wav = write_sound(f"source/ICBHI_final_database/{name}.wav", samples, RATE)
        wav.with_suffix(".txt").write_text("\n".join(LINES) + "\n")
        split_lines.append(f"{name}\t{part}")
    (tmp_path / "source" / icbhi.SPLIT).write_text("\n".join(split_lines) + "\n")
    return tmp_path / "source"


@pytest.fixture
def recording(layout: Path) -> Path:
    """One of its recordings."""
    return layout / "ICBHI_final_database/103_1b1_Al_sc_Meditron.wav"


def _note(corpus: Corpus) -> str:
    return str(json.loads((corpus.root / "corpus.json").read_text())["note"])


def test_breaths_become_clips(layout: Path, tmp_path: Path, recording: Path) -> None:
    corpus = icbhi.make(tmp_path / "built", layout)
    assert corpus.labels == ("both", "crackle", "normal", "wheeze")
    assert len(corpus.clips) == 4 * 16
    assert {clip.group for clip in corpus.clips} == {*PATIENTS, "156"}
    whole, _ = soundfile.read(str(recording), dtype="int16")
    for label, start, stop in (("normal", 144, 2_000), ("crackle", 2_000, 4_000), ("both", 6_000, 8_000)):
        clip = next(clip for clip in corpus.clips if clip.label == label and f"/{recording.stem}_" in clip.path)
        cut, rate = soundfile.read(str(corpus.file(clip)), dtype="int16")
        assert rate == RATE
        np.testing.assert_array_equal(cut, whole[start:stop])


def test_the_split_is_the_official_one_and_validation_whole_patients(layout: Path, tmp_path: Path) -> None:
    corpus = icbhi.make(tmp_path / "built", layout)
    groups = {
        part: {clip.group for clip in corpus.clips if clip.split == part} for part in ("train", "validation", "test")
    }
    assert groups["test"] == {"101", "113", "156"}
    assert groups["validation"]
    assert not groups["validation"] & (groups["train"] | groups["test"])
    assert groups["train"] & groups["test"] == {"156"}
    assert "patients in train and test alike: 156;" in _note(corpus)
    assert "16 of 920 recordings" in _note(corpus)
    parts = split(corpus, {"train": 0.6, "validation": 0.2, "test": 0.2}, seed=0)
    assert {clip.group for clip in parts["validation"]} == groups["validation"]


def test_again_is_the_same(layout: Path, tmp_path: Path) -> None:
    assert icbhi.make(tmp_path / "1", layout).digest() == icbhi.make(tmp_path / "2", layout).digest()


def test_one_device_has_another_name_in_the_list(layout: Path, tmp_path: Path, recording: Path) -> None:
    for path in (recording, recording.with_suffix(".txt")):
        path.rename(path.with_name(path.name.replace("Meditron", "LittC2SE")))
    corpus = icbhi.make(tmp_path / "built", layout)
    assert sum("103_1b1_Al_sc_LittC2SE" in clip.path for clip in corpus.clips) == 4


def test_wide_samples_stay_wide(layout: Path, tmp_path: Path, recording: Path) -> None:
    samples = np.random.default_rng(0).integers(-(2**23), 2**23, 2 * RATE).astype(np.int32) * 256
    soundfile.write(str(recording), samples, RATE, subtype="PCM_24")
    corpus = icbhi.make(tmp_path / "built", layout)
    clip = next(clip for clip in corpus.clips if f"crackle/{recording.stem}_" in clip.path)
    cut, _ = soundfile.read(str(corpus.file(clip)), dtype="int32")
    np.testing.assert_array_equal(cut, samples[2_000:4_000])


def test_what_cannot_be_heard_is_left_out_and_told(layout: Path, tmp_path: Path, recording: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE)
    samples[:2_000] = 0
    soundfile.write(str(recording), samples, RATE, subtype="PCM_16")
    recording.with_suffix(".txt").write_text("0.0\t0.5\t0\t0\n\n0.6\t0.601\t0\t0\n1.0\t2.3\t1\t0\n")
    corpus = icbhi.make(tmp_path / "built", layout)
    left = [clip for clip in corpus.clips if recording.stem in clip.path]
    assert [clip.label for clip in left] == ["crackle"]
    assert soundfile.info(str(corpus.file(left[0]))).frames == RATE
    assert "1 breaths: ends after its recording, cut there" in _note(corpus)
    assert "2 breaths: nothing but zeros, or too short, left out" in _note(corpus)


@pytest.mark.parametrize(
    "line",
    [
        "0.5\t1.0\t1",
        "0.5\t1.0\t1\t0\t0",
        "0.5\t1.0\t2\t0",
        "0.5\t1.0\tyes\tno",
        "half\t1.0\t1\t0",
        "1.0\t0.5\t1\t0",
        "0.5\t0.5\t1\t0",
        "-0.1\t0.5\t1\t0",
        "2.5\t3.0\t1\t0",
        "nan\t1.0\t1\t0",
        "0.5\tinf\t1\t0",
    ],
)
def test_a_broken_line_is_named(layout: Path, tmp_path: Path, recording: Path, line: str) -> None:
    recording.with_suffix(".txt").write_text(f"{LINES[0]}\n\n{line}\n")
    problem = r"103_1b1_Al_sc_Meditron\.txt line 3: .*\(2\.000 s\); allowed: start end crackles wheezes"
    with pytest.raises(CorpusError, match=problem):
        icbhi.make(tmp_path / "built", layout)
    assert not (tmp_path / "built").exists()


@pytest.mark.parametrize(
    "line",
    ["103_1b1_Al_sc_Meditron\tvalidation", "103_1b1_Al_sc_Meditron", "103.wav\ttrain", "101_1b1_Al_sc_Meditron\ttest"],
)
def test_a_broken_split_is_named(layout: Path, tmp_path: Path, line: str) -> None:
    table = layout / icbhi.SPLIT
    table.write_text(f"101_1b1_Al_sc_Meditron\ttest\n{line}\n")
    with pytest.raises(CorpusError, match=rf"{icbhi.SPLIT} line 2: .*allowed: a recording, once; train or test"):
        icbhi.make(tmp_path / "built", layout)


def test_files_that_do_not_fit_each_other(layout: Path, tmp_path: Path, recording: Path) -> None:
    twin = recording.parent / "more" / recording.name
    twin.parent.mkdir()
    shutil.copyfile(recording, twin)
    with pytest.raises(CorpusError, match=r"more than once: 103_1b1_Al_sc_Meditron\.wav"):
        icbhi.make(tmp_path / "built", layout)
    twin.rename(recording.parent / "cough.wav")
    with pytest.raises(CorpusError, match=r"strange names: cough\.wav; allowed: 101_1b1_Al_sc_Meditron\.wav"):
        icbhi.make(tmp_path / "built", layout)
    (recording.parent / "cough.wav").rename(recording.parent / "199_1b1_Al_sc_Meditron.wav")
    with pytest.raises(CorpusError, match=r"without annotation: 199_1b1_Al_sc_Meditron\.wav"):
        icbhi.make(tmp_path / "built", layout)
    (recording.parent / "199_1b1_Al_sc_Meditron.txt").write_text(LINES[0])
    with pytest.raises(CorpusError, match=r"not in the split: 199_1b1_Al_sc_Meditron\.wav"):
        icbhi.make(tmp_path / "built", layout)


def test_a_truncated_recording_stops_it(layout: Path, tmp_path: Path, recording: Path) -> None:
    recording.write_bytes(recording.read_bytes()[:-100])
    with pytest.raises(CorpusError, match=r"103_1b1_Al_sc_Meditron\.wav: truncated"):
        icbhi.make(tmp_path / "built", layout)


def test_where_to_get_what_is_missing(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert icbhi.main([str(tmp_path / "built")]) == 1
    assert f"no download; allowed: --from FOLDER with *.wav with a .txt each, and {icbhi.SPLIT}, from {icbhi.PAGE}" in (
        capsys.readouterr().err
    )
    (tmp_path / "bare").mkdir()
    assert icbhi.main([str(tmp_path / "built"), "--from", str(tmp_path / "bare")]) == 1
    assert "no recordings" in capsys.readouterr().err
    (layout / icbhi.SPLIT).unlink()
    assert icbhi.main([str(tmp_path / "built"), "--from", str(layout)]) == 1
    assert f"no {icbhi.SPLIT}; allowed: the official split from {icbhi.PAGE}" in capsys.readouterr().err


def test_the_command_makes_a_corpus(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert icbhi.main([str(tmp_path / "built"), "--from", str(layout)]) == 0
    assert "64 breaths, 8 patients" in capsys.readouterr().out
