"""Equal error rate of speaker verification: where as many impostors are let in as rightful speakers are kept out.

False accept and false reject rates are ISO/IEC 19795-1's, over single attempts; trials are pooled over all speakers, with
one threshold for everybody, which is how the artifact is used.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
from pianissimo.enrolment import Settings, enrol

from frameworks import FrameworkError

TURNS = 6  # enrolments a speaker


class TrialsError(FrameworkError):
    """Speakers cannot be tried: too few of them, or too few clips each."""


class Trials:
    """Everybody enrols and tries everybody's template, with the runtime's own enrolment.

    `settings` are a manifest's `enrolment`; they may be empty where only a metric's name and direction are asked for.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)

    def evidence(self, labels: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """(speakers, trials, 2) of labels (n,) and vectors (n, dims): rows of score and target (1 or 0), padded with NaN.

        A speaker enrols with `enrol` clips in a row, and the speaker's other clips are tried; then with the next clips, and
        so on up to `TURNS` times: rightful trials are few, and one lucky choice of clips would decide much. The clips of
        all other speakers are tried once, dealt out over the turns. Who has no clip left after enrolment is an impostor
        alone.
        """
        settings = Settings.read(self._settings)
        speakers, counts = np.unique(labels, return_counts=True)
        enrolled = speakers[counts > settings.enrol]
        if len(speakers) < 2 or not len(enrolled):
            raise TrialsError(
                f"{len(speakers)} speakers of at most {counts.max(initial=0)} clips; "
                f"allowed: at least 2 speakers, one of them with more than {settings.enrol} clips"
            )
        tried = [_tried(np.flatnonzero(labels == speaker), labels, vectors, settings) for speaker in enrolled]
        evidence = np.full((len(tried), max(map(len, tried)), 2), np.nan)
        for row, trials in zip(evidence, tried, strict=True):
            row[: len(trials)] = trials
        return evidence


def _tried(own: np.ndarray, labels: np.ndarray, vectors: np.ndarray, settings: Settings) -> np.ndarray:
    """Trials (n, 2) of one speaker's templates, whose clips are at the indices `own`."""
    turns = min(TURNS, len(own))
    others = np.flatnonzero(labels != labels[own[0]])
    rows = []
    for turn in range(turns):
        clips = np.roll(own, -(turn * len(own) // turns))
        kept, impostors = clips[settings.enrol :], others[turn::turns]
        template = enrol(vectors[clips[: settings.enrol]], settings)
        scores = template.decision(vectors[np.concatenate([kept, impostors])])
        rows.append(np.stack([scores, np.arange(len(scores)) < len(kept)], axis=1))
    return np.concatenate(rows)


def rate(evidence: np.ndarray) -> float:
    """Equal error rate of any rows of evidence, in percent: both rates are taken as straight between the operating points on
    either side of where they cross."""
    sides = _sides(evidence)
    first, second = (_errors(*sides, score) for score in _crossing(*sides))
    before, after = first[1] - first[0], second[1] - second[0]
    return 100 * (first[1] + (second[1] - first[1]) * before / (before - after))


def threshold(evidence: np.ndarray) -> float:
    """The decision threshold at the equal error rate: halfway between the two scores the rates cross between, where no trial
    lies; false accepts are then not above false rejects."""
    below, above = _crossing(*_sides(evidence))
    middle = (below + above) / 2
    return middle if below < middle else above  # of neighbouring floats the middle is one of them


def errors_at(evidence: np.ndarray, threshold: float) -> tuple[float, float]:
    """(false accepts, false rejects) in percent when scores from `threshold` on are accepted."""
    false_accepts, false_rejects = _errors(*_sides(evidence), threshold)
    return 100 * false_accepts, 100 * false_rejects


def _sides(evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted scores of targets and of impostors."""
    scores, target = evidence[..., 0].ravel(), evidence[..., 1].ravel()
    targets, impostors = np.sort(scores[target == 1]), np.sort(scores[target == 0])
    if not len(targets) or not len(impostors):
        raise TrialsError(f"{len(targets)} rightful and {len(impostors)} impostor trials; allowed: some of each")
    return targets, impostors


def _errors(targets: np.ndarray, impostors: np.ndarray, threshold: float) -> tuple[float, float]:
    """Shares of impostors let in and of targets kept out."""
    accepted = 1 - float(np.searchsorted(impostors, threshold)) / len(impostors)
    return accepted, float(np.searchsorted(targets, threshold)) / len(targets)


def _crossing(targets: np.ndarray, impostors: np.ndarray) -> tuple[float, float]:
    """The two neighbouring scores between which false rejects, rising with the threshold, reach false accepts."""

    def crossed(score: float) -> bool:
        false_accepts, false_rejects = _errors(targets, impostors, score)
        return false_rejects >= false_accepts

    last = max(targets[-1], impostors[-1])
    above = float(np.nextafter(last, np.inf))  # nobody is accepted there, so the rates do cross
    for side in (targets, impostors):
        place = bisect_left(side, True, key=crossed)
        above = min(above, float(side[place])) if place < len(side) else above
    places = ((side, int(np.searchsorted(side, above))) for side in (targets, impostors))
    return max(float(side[place - 1]) for side, place in places if place), above
