"""People enrol, are known again, and are forgotten; nobody else gets in, and no file leads out of the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest

from tests.runtime.test_voice_statistics import SPEC
from tests.runtime.voices import RATE, speak

PEOPLE = {"anna": 0, "bela": 2, "carl": 3}
SETTINGS = {"enrol": 3, "nu": 0.5, "gamma": 0.3, "support": 2, "typical": -0.03, "margin": 0.02}
THRESHOLD = -0.19


@pytest.fixture(scope="module")
def scaler() -> dict[str, np.ndarray]:
    """Mean and deviation of the statistics of people who never enrol."""
    front = pp.frontend.build(SPEC)
    statistics = np.stack([front(speak(person, clip, seconds=1)) for person in range(10, 20) for clip in range(2)])
    scale = (1 / (statistics.std(axis=0) + 0.05)).astype(np.float32)
    return {"scale": scale, "shift": -statistics.mean(axis=0) * scale}


@pytest.fixture
def build(assemble: Callable[..., Path], scaler: dict[str, np.ndarray]) -> Callable[..., Path]:
    steps = [
        {"op": "input", "shape": [100]},
        {"op": "affine", "arrays": {"scale": "scale", "shift": "shift"}},
        {"op": "l2"},
    ]

    def make(**changes: Any) -> Path:
        more = {
            "task": "verify",
            "labels": [],
            "enrolment": SETTINGS,
            "threshold": THRESHOLD,
            "model": "voices",
        } | changes
        return assemble(SPEC, steps, scaler, **more)

    return make


@pytest.fixture
def unlock(build: Callable[..., Path], tmp_path: Path) -> pp.VoiceUnlock:
    return pp.VoiceUnlock(pp.open_folder(build()), tmp_path / "people")


def enrolled(unlock: pp.VoiceUnlock, *people: str) -> pp.VoiceUnlock:
    for name in people:
        unlock.enroll(name, [speak(PEOPLE[name], clip) for clip in range(3)], RATE)
    return unlock


def test_the_right_voice_opens(unlock: pp.VoiceUnlock) -> None:
    enrolled(unlock, *PEOPLE)
    assert unlock.users() == ["anna", "bela", "carl"]
    for name in PEOPLE:
        for other, person in PEOPLE.items():
            attempt = unlock.authenticate(name, speak(person, 7), RATE)
            assert attempt.accepted == (name == other), attempt
            assert attempt.accepted == (attempt.score >= attempt.threshold)
            assert attempt.user == name
            assert attempt.milliseconds > 0


def test_templates_outlive_the_process(build: Callable[..., Path], tmp_path: Path) -> None:
    folder = build()
    enrolled(pp.VoiceUnlock(pp.open_folder(folder), tmp_path / "people"), "anna")
    again = pp.VoiceUnlock(pp.open_folder(folder), tmp_path / "people", adapt=False)
    assert again.authenticate("anna", speak(0, 7), RATE).accepted
    assert [path.name for path in (tmp_path / "people").iterdir()] == ["anna.npz"]
    assert (tmp_path / "people" / "anna.npz").stat().st_size < 10_000
    if os.name == "posix":
        assert (tmp_path / "people").stat().st_mode & 0o077 == 0
        assert (tmp_path / "people" / "anna.npz").stat().st_mode & 0o077 == 0


def test_two_processes_on_one_folder(build: Callable[..., Path], tmp_path: Path) -> None:
    """What one enrols, replaces and removes the other knows at its next question."""
    folder = build()
    settings, unlocker = (pp.VoiceUnlock(pp.open_folder(folder), tmp_path / "people", adapt=False) for _ in range(2))
    enrolled(settings, "anna")
    assert unlocker.authenticate("anna", speak(0, 7), RATE).accepted
    settings.enroll("anna", [speak(PEOPLE["bela"], clip) for clip in range(3)], RATE)
    assert not unlocker.authenticate("anna", speak(0, 7), RATE).accepted
    assert unlocker.authenticate("anna", speak(2, 7), RATE).accepted
    settings.remove("anna")
    with pytest.raises(pp.EnrolmentError, match="anna is not enrolled"):
        unlocker.authenticate("anna", speak(0, 7), RATE)


def test_the_threshold_stays_within_its_bounds(unlock: pp.VoiceUnlock) -> None:
    """However many attempts of whatever kind are accepted."""
    enrolled(unlock, "anna")
    margin = SETTINGS["margin"]
    for clip in range(40):
        attempt = unlock.authenticate("anna", speak(0, clip % 3), RATE)  # the enrolled recordings, the best there are
        assert THRESHOLD - margin - 1e-9 <= attempt.threshold <= THRESHOLD + margin + 1e-9
    assert attempt.threshold == pytest.approx(THRESHOLD + margin)


def test_the_threshold_moves_with_accepted_attempts_alone(unlock: pp.VoiceUnlock) -> None:
    enrolled(unlock, "anna")
    first = unlock.authenticate("anna", speak(0, 7), RATE)
    assert first.threshold == THRESHOLD
    moved = unlock.authenticate("anna", speak(2, 7), RATE)
    assert not moved.accepted
    assert moved.threshold == pytest.approx(THRESHOLD + np.clip((first.score + 0.03) / 3, -0.02, 0.02))
    assert unlock.authenticate("anna", speak(2, 8), RATE).threshold == moved.threshold


def test_a_threshold_that_stays(build: Callable[..., Path], tmp_path: Path) -> None:
    unlock = enrolled(pp.VoiceUnlock(pp.open_folder(build()), tmp_path / "people", adapt=False), "anna")
    before = (tmp_path / "people" / "anna.npz").read_bytes()
    assert {unlock.authenticate("anna", speak(0, clip), RATE).threshold for clip in (7, 8)} == {THRESHOLD}
    assert (tmp_path / "people" / "anna.npz").read_bytes() == before


def test_more_recordings_of_a_person(unlock: pp.VoiceUnlock) -> None:
    enrolled(unlock, "anna")
    before = unlock.authenticate("anna", speak(0, 7), RATE).score
    grown = unlock.update("anna", [speak(0, 7), speak(0, 8)], RATE)
    assert (len(grown.vectors), grown.accepted) == (5, 1)
    assert unlock.authenticate("anna", speak(0, 7), RATE).score > before


def test_the_newest_recordings_stay(unlock: pp.VoiceUnlock) -> None:
    enrolled(unlock, "anna")
    one = speak(0, 9, seconds=0.5)
    grown = unlock.update("anna", [one] * 62, RATE)
    assert len(grown.vectors) == 64
    assert not np.array_equal(grown.vectors[0], grown.vectors[2])  # the first recording is gone, two of the three stay
    np.testing.assert_array_equal(grown.vectors[2], grown.vectors[63])


def test_who_is_removed_is_a_stranger(unlock: pp.VoiceUnlock) -> None:
    enrolled(unlock, "anna", "bela")
    unlock.remove("anna")
    assert unlock.users() == ["bela"]
    for call in (
        lambda: unlock.authenticate("anna", speak(0), RATE),
        lambda: unlock.update("anna", [speak(0)], RATE),
        lambda: unlock.remove("anna"),
    ):
        with pytest.raises(pp.EnrolmentError, match="anna is not enrolled; allowed: bela"):
            call()


@pytest.mark.parametrize("name", ["", "..", "../anna", "a/b", "Anna", ".hidden", "a" * 65, "anna\0", "c:anna"])
def test_names_that_could_be_paths(unlock: pp.VoiceUnlock, name: str, tmp_path: Path) -> None:
    clips = [speak(0, clip, seconds=0.5) for clip in range(3)]
    before = sorted(tmp_path.rglob("*"))
    for call in (
        lambda: unlock.enroll(name, clips, RATE),
        lambda: unlock.authenticate(name, clips[0], RATE),
        lambda: unlock.update(name, clips, RATE),
        lambda: unlock.remove(name),
    ):
        with pytest.raises(pp.EnrolmentError, match="a letter or digit first"):
            call()
    assert sorted(tmp_path.rglob("*")) == before


def test_too_few_recordings_change_nothing(unlock: pp.VoiceUnlock, tmp_path: Path) -> None:
    for clips in ([], [speak(0, 0, seconds=0.5)] * 2):
        with pytest.raises(pp.EnrolmentError, match="recordings"):
            unlock.enroll("anna", clips, RATE)
    with pytest.raises(pp.AudioError):
        unlock.enroll("anna", [np.zeros(0, np.float32)] * 3, RATE)
    assert list((tmp_path / "people").iterdir()) == []


def test_a_full_disk_leaves_the_old_template(
    unlock: pp.VoiceUnlock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(unlock, "anna")
    before = (tmp_path / "people" / "anna.npz").read_bytes()

    def full(path: Path, arrays: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pianissimo.archive.write", full)
    with pytest.raises(OSError, match="No space left"):
        enrolled(unlock, "anna")
    assert [path.name for path in (tmp_path / "people").iterdir()] == ["anna.npz"]
    assert (tmp_path / "people" / "anna.npz").read_bytes() == before


def test_templates_of_another_version(build: Callable[..., Path], tmp_path: Path) -> None:
    enrolled(pp.VoiceUnlock(pp.open_folder(build()), tmp_path / "people"), "anna")
    newer = pp.VoiceUnlock(pp.open_folder(build(version=2, created="2026-01-01T00:00:00Z")), tmp_path / "people")
    with pytest.raises(pp.EnrolmentError, match=r"made for voices draft, this is voices 2; allowed: .* enrol again"):
        newer.authenticate("anna", speak(0), RATE)
    assert enrolled(newer, "anna").authenticate("anna", speak(0, 7), RATE).accepted


def test_a_damaged_template(unlock: pp.VoiceUnlock, tmp_path: Path) -> None:
    (tmp_path / "people" / "anna.npz").write_bytes(b"PK\3\4 rubbish")
    with pytest.raises(pp.EnrolmentError, match=r"anna\.npz is no template"):
        unlock.authenticate("anna", speak(0), RATE)


def test_models_that_verify_nobody(build: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(pp.EnrolmentError, match="task classify"):
        pp.VoiceUnlock(
            pp.open_folder(build(task="classify", labels=["a", "b"], enrolment=None, threshold=None)), tmp_path
        )
    with pytest.raises(pp.EnrolmentError, match="with the threshold None"):
        pp.VoiceUnlock(pp.open_folder(build(threshold=None)), tmp_path)
    with pytest.raises(pp.ManifestError, match="enrolment"):
        pp.VoiceUnlock(pp.open_folder(build(enrolment={})), tmp_path)


def test_a_threshold_of_ones_own(build: Callable[..., Path], tmp_path: Path) -> None:
    unlock = pp.VoiceUnlock(pp.open_folder(build(threshold=None)), tmp_path / "people", threshold=-0.01, adapt=False)
    attempt = enrolled(unlock, "anna").authenticate("anna", speak(0, 7), RATE)
    assert (attempt.accepted, attempt.threshold) == (attempt.score >= -0.01, -0.01)
    with pytest.raises(pp.EnrolmentError, match="with the threshold nan"):
        pp.VoiceUnlock(pp.open_folder(build()), tmp_path, threshold=float("nan"))
