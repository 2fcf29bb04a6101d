"""What a form gets wrong, in counts that can be drawn: confusions of labels, errors by phoneme, false accepts and rejects."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pianissimo
from pianissimo.decode import greedy
from rapidfuzz.distance import Levenshtein

from frameworks.metrics import Metric
from frameworks.proof.bench import Bench, Subject

CONFUSED = 12  # pairs of phonemes that are kept, the commonest first
STEPS = 60  # points of a DET curve from either side


def of_form(bench: Bench, subject: Subject, platform: str, form: str, labels: Sequence[str]) -> dict[str, Any]:
    """The mistakes of one shipped form on test, answered by the runtime: see `made`."""
    with pianissimo.open_folder(bench.files, platform=platform, variant=form) as model:
        return made(bench, subject.metric, model.scores(bench.features), labels)


def made(bench: Bench, metric: Metric, outputs: Any, labels: Sequence[str]) -> dict[str, Any]:
    """`interval` of the score in percent and what the task's picture needs:
    `confusion` of classify (rows are what it was, columns what it was taken for), `phonemes` and `confused` of transcribe,
    `det` of verify ([false accepts, false rejects] in percent, from one end of the threshold to the other)."""
    evidence = metric.evidence(bench.labels, outputs)
    ends = interval(metric, evidence, resamples=bench.settings.bootstrap, seed=bench.seed)
    return {"interval": list(ends), **KINDS[metric.task](bench.labels, outputs, evidence, labels)}


def interval(metric: Metric, evidence: np.ndarray, *, resamples: int, seed: int) -> tuple[float, float]:
    """95 % interval of a score in percent: a bootstrap over the rows of evidence (Efron and Tibshirani 1993, ch. 13)."""
    rng = np.random.default_rng(seed)
    scores = [metric.score(evidence[rng.integers(0, len(evidence), len(evidence))]) for _ in range(resamples)]
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def _confusion(_labels: np.ndarray, _outputs: Any, evidence: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, tuple(evidence.T), 1)
    return {"labels": list(labels), "confusion": counts.tolist()}


def _phonemes(wanted: np.ndarray, outputs: Any, _evidence: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    said, pairs = Counter[str](), Counter[tuple[str, str]]()
    wrong = {kind: Counter[str]() for kind in ("replace", "delete", "insert")}
    for row, output in zip(wanted, outputs, strict=True):
        spoken = [labels[int(label)] for label in row[row >= 0]]
        heard = [labels[int(label)] for label in greedy(output)]
        said.update(spoken)
        for edit in Levenshtein.editops(spoken, heard):
            wrong[edit.tag][heard[edit.dest_pos] if edit.tag == "insert" else spoken[edit.src_pos]] += 1
            if edit.tag == "replace":
                pairs[spoken[edit.src_pos], heard[edit.dest_pos]] += 1
    phonemes = {one: [said[one], *(wrong[kind][one] for kind in ("replace", "delete", "insert"))] for one in labels}
    return {"phonemes": phonemes, "confused": [[*pair, count] for pair, count in pairs.most_common(CONFUSED)]}


def _det(_labels: np.ndarray, _outputs: Any, evidence: np.ndarray, _names: Sequence[str]) -> dict[str, Any]:
    from frameworks import equal_error  # enrols with scikit-learn, which is slow to import

    scores, target = evidence[..., 0].ravel(), evidence[..., 1].ravel()
    shares = np.linspace(0, 1, STEPS)
    thresholds = np.unique([np.quantile(scores[target == side], shares) for side in (0, 1)])
    return {"det": [list(equal_error.errors_at(evidence, float(threshold))) for threshold in thresholds]}


KINDS: dict[str, Callable[[np.ndarray, Any, np.ndarray, Sequence[str]], dict[str, Any]]] = {
    "classify": _confusion,
    "transcribe": _phonemes,
    "verify": _det,
}
