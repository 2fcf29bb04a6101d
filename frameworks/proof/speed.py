"""How fast one variant is: one example a call on one thread, interleaved with its teacher, its own float form and a whole
prediction."""

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo
from pianissimo.backends import open_session

from frameworks.proof import latency
from frameworks.proof.bench import Bench


def measure(
    bench: Bench, file: Path, backend: str, model: pianissimo.Model, own_float: Path | None = None
) -> dict[str, Any]:
    """Milliseconds of this form, of the teacher in the same runtime, of the teacher in its own framework, of a prediction
    from raw audio and, for a model of frames, of one frame; and of `own_float`, what this form was before it was rounded.
    The clip is the one of median length."""
    at = bench.typical()
    one, own, clip = bench.features[at][None], bench.teacher.heard[at][None], bench.clips[at]
    teacher_file, teacher_backend = bench.teacher_form(backend)
    with contextlib.ExitStack() as stack:
        files = ((backend, file), (teacher_backend, teacher_file), *([(backend, own_float)] if own_float else []))
        form, teacher, *unrounded = (
            stack.enter_context(contextlib.closing(open_session(name, path, 1))) for name, path in files
        )
        calls: dict[str, latency.Call] = {
            "form": lambda: form.run(one),
            "teacher": lambda: teacher.run(own),
            "framework": lambda: bench.teacher.call(own),
            "predict": _whole(bench, model, clip),
            **_frames(model, clip),
        }
        if unrounded:
            calls["float"] = partial(unrounded[0].run, one)
        taken = latency.interleaved(calls, bench.settings.rounds)
    return {**_figures(taken, len(clip) / bench.sample_rate), "teacher_backend": teacher_backend}


def _whole(bench: Bench, model: pianissimo.Model, clip: np.ndarray) -> latency.Call:
    ask = model.embed if bench.task == "verify" else model.predict
    return lambda: ask(clip, bench.sample_rate)


def _frames(model: pianissimo.Model, clip: np.ndarray) -> dict[str, latency.Call]:
    """One call a frame, where the model can be asked so."""
    if not pianissimo.FrameClassifier.fits(model):
        return {}
    frames = pianissimo.FrameClassifier(model)
    samples = np.ascontiguousarray(np.resize(clip, frames.samples), np.float32)
    return {"frame": lambda: frames.process_frame(samples)}


def _figures(taken: dict[str, dict[str, float]], seconds: float) -> dict[str, Any]:
    own, whole, frame, unrounded = taken["form"], taken["predict"], taken.get("frame"), taken.get("float")
    return {
        "p50_ms": own["p50"],
        "p95_ms": own["p95"],
        "p99_ms": own["p99"],
        "teacher_p50_ms": taken["teacher"]["p50"],
        "framework_p50_ms": taken["framework"]["p50"],
        "faster": taken["teacher"]["p50"] / own["p50"],
        "faster_than_framework": taken["framework"]["p50"] / own["p50"],
        "faster_than_float": unrounded["p50"] / own["p50"] if unrounded else None,
        "predict_p50_ms": whole["p50"],
        "predict_p99_ms": whole["p99"],
        "predict_cpu_p99_ms": whole["cpu_p99"],
        "rtf": whole["p50"] / 1e3 / seconds,
        "frame_p50_ms": frame["p50"] if frame else None,
        "frame_p99_ms": frame["p99"] if frame else None,
        "frame_cpu_p99_ms": frame["cpu_p99"] if frame else None,
    }
