"""Equal error rate of speaker verification: where as many impostors are let in as rightful speakers are kept out.

False accept and false reject rates are ISO/IEC 19795-1's, over single attempts; trials are pooled over all speakers, with
one threshold for everybody, which is how the artifact is used.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pianissimo.enrolment import Settings, enrol


class TrialsError(ValueError):
    """Speakers cannot be tried: too few of them, or too few clips each."""


class Trials:
    """Everybody enrols and tries everybody's template, with the runtime's own enrolment.

    `settings` are a manifest's `enrolment`; they may be empty where only a metric's name and direction are asked for.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)

    def evidence(self, labels: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """(speakers, trials, 2) of labels (n,) and vectors (n, dims): rows of score and target (1 or 0), padded with NaN.

        A speaker's first `enrol` clips, in the order given, make the template; the others are the speaker's trials, all
        clips of all other speakers the impostors'. Who has no clip left after enrolment is an impostor alone.
        """
        settings = Settings.read(self._settings)
        speakers, counts = np.unique(labels, return_counts=True)
        enrolled = speakers[counts > settings.enrol]
        if len(speakers) < 2 or not len(enrolled):
            raise TrialsError(
                f"{len(speakers)} speakers of at most {counts.max(initial=0)} clips; "
                f"allowed: at least 2 speakers, one of them with more than {settings.enrol} clips"
            )
        trials = np.full((len(enrolled), len(labels) - settings.enrol, 2), np.nan)
        for row, speaker in zip(trials, enrolled, strict=True):
            own = np.flatnonzero(labels == speaker)
            template = enrol(vectors[own[: settings.enrol]], settings)
            tried = np.setdiff1d(np.arange(len(labels)), own[: settings.enrol])
            row[:, 0] = template.decision(vectors[tried])
            row[:, 1] = labels[tried] == speaker
        return trials


def rate(evidence: np.ndarray) -> float:
    """Equal error rate of any rows of evidence, in percent: the two rates are taken as straight between the operating
    points on either side of where they cross."""
    _, false_accepts, false_rejects = _crossing(evidence)
    before, after = false_rejects - false_accepts
    share = before / (before - after)
    return float(100 * (false_rejects[0] + share * (false_rejects[1] - false_rejects[0])))


def threshold(evidence: np.ndarray) -> float:
    """The decision threshold at the equal error rate: halfway between the two scores the rates cross between, where no
    trial lies, so that false accepts are not above false rejects."""
    scores, _, _ = _crossing(evidence)
    return float(scores.mean())


def errors_at(evidence: np.ndarray, threshold: float) -> tuple[float, float]:
    """(false accepts, false rejects) in percent when scores from `threshold` on are accepted."""
    targets, impostors = _sides(evidence)
    return float(100 * np.mean(impostors >= threshold)), float(100 * np.mean(targets < threshold))


def _sides(evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted scores of targets and of impostors."""
    rows = evidence.reshape(-1, 2)
    targets, impostors = np.sort(rows[rows[:, 1] == 1, 0]), np.sort(rows[rows[:, 1] == 0, 0])
    if not len(targets) or not len(impostors):
        raise TrialsError(f"{len(targets)} target and {len(impostors)} impostor trials; allowed: some of each")
    return targets, impostors


def _crossing(evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds, false accept and false reject shares, (2,) each, before and after false rejects reach false accepts."""
    targets, impostors = _sides(evidence)
    scores = np.unique(np.concatenate([targets, impostors]))
    scores = np.append(scores, np.nextafter(scores[-1], np.inf))  # nobody is accepted there, so the rates do cross
    false_accepts = 1 - np.searchsorted(impostors, scores) / len(impostors)
    false_rejects = np.searchsorted(targets, scores) / len(targets)
    after = int(np.argmax(false_rejects >= false_accepts))  # never 0: at the lowest score everybody is accepted
    pair = slice(after - 1, after + 1)
    return scores[pair], false_accepts[pair], false_rejects[pair]
