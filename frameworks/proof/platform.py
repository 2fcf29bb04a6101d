"""One platform's variant put to the proof: score, drop with its interval, size, speed, memory, parity ladder and audit."""

import contextlib
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo
from pianissimo.backends import open_session

import corpora
from frameworks.formats import micro
from frameworks.metrics import Metric, drop_interval
from frameworks.proof import AUDITS, latency, memory
from frameworks.proof.ladder import Rung, Step, climb, first_broken
from frameworks.recipe import Validate


@dataclass(frozen=True)
class Bench:
    """What every variant is measured with and against, made once a run.

    `clips` are raw audio at the model's rate, `recordings` the files they come from, at their own, and `features`
    (n, frames, bands) what the training side's front end makes of the clips. `teacher` and `network` are the framework's
    own scores (n, classes), `call` is its fastest call of the teacher; `golden` (k, frames, bands) are the features of the
    golden vectors; `files` is what convert left.
    """

    files: Path
    metric: Metric
    settings: Validate
    seed: int
    labels: np.ndarray
    clips: list[np.ndarray]
    recordings: list[Path]
    sample_rate: int
    features: np.ndarray
    teacher: np.ndarray
    network: np.ndarray
    golden: np.ndarray
    call: Callable[[np.ndarray], Any]

    def reference(self, name: str, backend: str) -> Path:
        """A float32 form of the `teacher`, or of the small network before quantization (`float`)."""
        return self.files / "reference" / f"{name}.{backend}"


def prove(
    bench: Bench, platform: str, variant: dict[str, Any], *, is_micro: bool, float_layers: list[str]
) -> tuple[dict[str, Any], np.ndarray]:
    """(figures, golden scores (k, classes)) of one variant, every figure measured here and now."""
    with pianissimo.open_folder(bench.files, platform=platform, variant=variant["name"]) as model:
        scores, golden = model.scores(bench.features), model.scores(bench.golden)
        steps = _ladder(bench, variant, model, scores, is_micro)
        speed = _speed(bench, variant, model)
    file = bench.files / variant["files"][0]["name"]
    metric, labels = bench.metric, bench.labels
    before, after = metric.measure(labels, bench.teacher), metric.measure(labels, scores)
    low, high = drop_interval(
        metric, labels, bench.teacher, scores, resamples=bench.settings.bootstrap, seed=bench.seed
    )
    audit = AUDITS[variant["backend"]](file)
    own = steps[[step.name for step in steps].index("converted float")]
    figures = {
        "score": after,
        "teacher_score": before,
        "drop": metric.drop(before, after),
        "drop_interval": [low, high],
        "float_score": own.score,
        "drop_from_float": metric.drop(own.score, after),
        **_agreement(bench, variant, scores),
        **_sizes(bench, variant, file),
        **speed,
        "memory_mb": memory.fresh_peak(bench.files, platform, variant["name"], bench.sample_rate) / 1e6,
        "arena": micro.arena(file) if is_micro else None,
        "ladder": [asdict(step) for step in steps],
        "broken": first_broken(steps),
        "audit": audit.problems(variant["precision"], tuple(float_layers), micro=is_micro),
        "weights": audit.weights,
        "operators": audit.operators,
        "sha256": {entry["name"]: entry["sha256"] for entry in variant["files"]},
    }
    return figures, golden


def _ladder(bench: Bench, variant: dict[str, Any], model: Any, scores: np.ndarray, is_micro: bool) -> list[Step]:
    """Framework float, converted float, the shipped form, the runtime from audio and from files, and TFLM for its devices."""
    precision = variant["precision"]
    heard = model.predict_batch(bench.clips, bench.sample_rate)
    rungs = [
        Rung("teacher", "first", bench.teacher),
        Rung("framework float", "smaller", bench.network),
        Rung(
            "converted float",
            "float",
            _answers(bench.reference("float", variant["backend"]), variant["backend"], bench),
        ),
        Rung(f"converted {precision}", precision if precision != "float32" else "float", scores),
        Rung("runtime from audio", "same", _stacked(heard)),
        # Training resamples by soxr, the runtime by its own numpy: this rung is what a consumer's file meets.
        Rung("runtime from file", "int8", _stacked([model.predict(*corpora.read_audio(f)) for f in bench.recordings])),
    ]
    if is_micro:
        file = bench.files / variant["files"][0]["name"]
        rungs.append(Rung("microcontroller kernels", "int8", micro.answers(file, bench.features)))
    return climb(bench.metric, bench.labels, rungs)


def _stacked(predictions: list[pianissimo.Prediction]) -> np.ndarray:
    return np.array([list(prediction.scores.values()) for prediction in predictions], np.float32)


def _answers(file: Path, backend: str, bench: Bench) -> np.ndarray:
    session = open_session(backend, file, 1)
    try:
        return np.concatenate([session.run(bench.features[i : i + 1]) for i in range(len(bench.features))])
    finally:
        session.close()


def _agreement(bench: Bench, variant: dict[str, Any], scores: np.ndarray) -> dict[str, float]:
    """The shipped form beside its own float form."""
    own = _answers(bench.reference("float", variant["backend"]), variant["backend"], bench)
    return {
        "agreement": float(100 * np.mean(own.argmax(axis=1) == scores.argmax(axis=1))),
        "distance": float(np.abs(own - scores).max()),
    }


def _sizes(bench: Bench, variant: dict[str, Any], file: Path) -> dict[str, Any]:
    """Bytes a consumer needs, as they are and compressed, beside the teacher's in the same format."""
    teacher = bench.reference("teacher", variant["backend"]).read_bytes()
    content = file.read_bytes()
    return {
        "bytes": len(content),
        "compressed_bytes": len(zlib.compress(content, 9)),
        "teacher_bytes": len(teacher),
        "teacher_compressed_bytes": len(zlib.compress(teacher, 9)),
        "smaller": 100 * (1 - len(content) / len(teacher)),
    }


def _speed(bench: Bench, variant: dict[str, Any], model: Any) -> dict[str, Any]:
    """One example a call on one thread, interleaved: this form, the teacher in the same runtime, the teacher in its own
    framework, and a whole prediction from raw audio."""
    one, clip = bench.features[:1], bench.clips[0]
    paths = (bench.files / variant["files"][0]["name"], bench.reference("teacher", variant["backend"]))
    with contextlib.ExitStack() as stack:
        form, teacher = (
            stack.enter_context(contextlib.closing(open_session(variant["backend"], path, 1))) for path in paths
        )
        calls: dict[str, latency.Call] = {
            "form": lambda: form.run(one),
            "teacher": lambda: teacher.run(one),
            "framework": lambda: bench.call(one),
            "predict": lambda: model.predict(clip, bench.sample_rate),
        }
        taken = latency.interleaved(calls, bench.settings.rounds)
    own = taken["form"]
    return {
        "p50_ms": own["p50"],
        "p95_ms": own["p95"],
        "p99_ms": own["p99"],
        "teacher_p50_ms": taken["teacher"]["p50"],
        "framework_p50_ms": taken["framework"]["p50"],
        "faster": taken["teacher"]["p50"] / own["p50"],
        "faster_than_framework": taken["framework"]["p50"] / own["p50"],
        "predict_p50_ms": taken["predict"]["p50"],
        "predict_p99_ms": taken["predict"]["p99"],
    }
