"""One platform's variant put to the proof: score, drop with its interval, size, speed, memory, parity ladder and audit."""

import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo

from frameworks import answers
from frameworks.formats import micro
from frameworks.metrics import drop_interval
from frameworks.proof import AUDITS, memory, speed
from frameworks.proof.bench import Bench, Subject, alone, heard
from frameworks.proof.ladder import Rung, Step, climb, first_broken


def prove(
    bench: Bench,
    platform: str,
    variant: dict[str, Any],
    *,
    subject: Subject,
    is_micro: bool = False,
    float_layers: tuple[str, ...] = (),
) -> tuple[dict[str, Any], Any]:
    """(figures, outputs for the golden features) of one variant of `subject`, every figure measured here and now."""
    file, backend = bench.files / variant["files"][0]["name"], variant["backend"]
    with pianissimo.open_folder(bench.files, platform=platform, variant=variant["name"]) as model:
        outputs, golden = alone(model, bench.features), model.scores(bench.golden)
        steps = _ladder(bench, subject, variant, model, outputs, is_micro)
        unrounded = bench.reference(subject.reference, backend) if variant["precision"] != "float32" else None
        fast = speed.measure(bench, file, backend, model, unrounded)
    audit = AUDITS[backend](file)
    own = bench.float_outputs(subject.reference, backend)
    float_score = next(step.score for step in steps if step.name == "converted float")
    figures = {
        **_scores(bench, subject, outputs, variant["threshold"]),
        "float_score": float_score,
        "drop_from_float": subject.metric.drop(float_score, subject.metric.measure(bench.labels, outputs)),
        "agreement": answers.agreement(bench.task, own, outputs),
        "distance": answers.distance(own, outputs)[0],
        **_sizes(bench, backend, file),
        **fast,
        "memory_mb": memory.fresh_peak(bench.files, platform, variant["name"], bench.sample_rate) / 1e6,
        "arena": micro.arena(file) if is_micro else None,
        "ladder": [asdict(step) for step in steps],
        "broken": first_broken(steps),
        "audit": audit.problems(variant["precision"], float_layers, micro=is_micro),
        "weights": audit.weights,
        "operators": audit.operators,
        "sha256": {entry["name"]: entry["sha256"] for entry in variant["files"]},
    }
    return figures, golden


def _scores(bench: Bench, subject: Subject, outputs: Any, threshold: float | None) -> dict[str, Any]:
    """Score of this form and of its teacher, the points between them, and the interval of those; with a threshold, what it
    decides, of which an equal error rate says nothing."""
    teacher, metric = bench.teacher.metric, subject.metric
    first, second = (
        teacher.evidence(bench.labels, bench.teacher.outputs),
        metric.evidence(bench.labels, outputs),
    )
    before, after = teacher.score(first), metric.score(second)
    resamples = bench.settings.bootstrap
    interval = drop_interval((teacher, first), (metric, second), resamples=resamples, seed=bench.seed)
    decided = {}
    if threshold is not None and metric.errors is not None:
        decided = dict(zip(("false_accepts", "false_rejects"), metric.errors(second, threshold), strict=True))
    return {
        **decided,
        "score": after,
        "teacher_score": before,
        "drop": metric.drop(before, after),
        "drop_interval": list(interval),
    }


def _ladder(
    bench: Bench, subject: Subject, variant: dict[str, Any], model: pianissimo.Model, outputs: Any, is_micro: bool
) -> list[Step]:
    """Framework float, converted float, the shipped form, the runtime from audio and from files, and TFLM for its devices."""
    precision, metric = variant["precision"], subject.metric
    at_rate = [(clip, bench.sample_rate) for clip in bench.clips]
    as_recorded = [recording.read() for recording in bench.recordings]
    rungs = [
        Rung("teacher", "first", bench.teacher.metric, bench.teacher.outputs),
        Rung("framework float", "smaller", metric, subject.outputs),
        Rung("converted float", "float", metric, bench.float_outputs(subject.reference, variant["backend"])),
        Rung(f"converted {precision}", precision if precision != "float32" else "float", metric, outputs),
        Rung("runtime from audio", "same", metric, heard(bench.task, model, at_rate)),
        # Training resamples by soxr, the runtime by its own numpy: this rung is what a consumer's file meets.
        Rung("runtime from file", "int8", metric, heard(bench.task, model, as_recorded)),
    ]
    if is_micro:
        file = bench.files / variant["files"][0]["name"]
        rungs.append(Rung("microcontroller kernels", "int8", metric, micro.answers(file, np.asarray(bench.features))))
    return climb(bench.labels, rungs)


def _sizes(bench: Bench, backend: str, file: Path) -> dict[str, Any]:
    """Bytes a consumer needs, as they are and compressed, beside the teacher's in the same format where it has one."""
    teacher, content = bench.teacher_form(backend)[0].read_bytes(), file.read_bytes()
    return {
        "bytes": len(content),
        "compressed_bytes": len(zlib.compress(content, 9)),
        "teacher_bytes": len(teacher),
        "teacher_compressed_bytes": len(zlib.compress(teacher, 9)),
        "smaller": 100 * (1 - len(content) / len(teacher)),
    }
