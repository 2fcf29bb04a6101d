"""Measures every form of a model on the test split, through the runtime, in one run with its teacher."""

from pathlib import Path
from typing import Any

import numpy as np
import pianissimo.frontend
from pianissimo.integrity import sha256

import frameworks
from frameworks import metrics
from frameworks.progress import Progress
from frameworks.proof.platform import Bench, prove
from tasks import clips, command, records
from tasks.clips import Clips
from tasks.command import Job
from tasks.records import Record


def run(job: Job, corpus: Path, data: Path, train: Path, quantize: Path, convert: Path) -> Record:
    """Proves what CONVERT made against the teacher of TRAIN; only here is the test split opened, and its files in CORPUS."""
    golden, test = _golden(data, job.section.golden), clips.read(data, "test")
    bench = _bench(job, corpus, test, golden["features"], train, quantize, convert / "files")
    manifest = records.read_json(convert / "files" / "manifest.json")
    plan = records.read_json(quantize / "scheme" / "plan.json")
    variants = [(name, variant) for name, platform in manifest["platforms"].items() for variant in platform["variants"]]
    progress = Progress("validate", len(variants))
    platforms: dict[str, dict[str, Any]] = {}
    for name, variant in variants:
        small = job.recipe.convert.platforms[name].device == "micro"
        layers = (
            plan.get("micro" if small else "int8", {}).get("float_layers", []) if variant["precision"] == "int8" else []
        )
        figures, golden[f"scores/{name}/{variant['name']}"] = prove(
            bench, name, variant, is_micro=small, float_layers=layers
        )
        platforms.setdefault(name, {})[variant["name"]] = figures
        progress.step(f"{name} {variant['name']}: {figures['score']:.2f} %")
    np.savez(job.dest / "golden.npz", **golden)  # type: ignore[arg-type]  # numpy's stub takes them for allow_pickle
    records.write_json(job.dest / "metrics.json", _metrics(platforms))
    return job.record(
        score=bench.metric.measure(bench.labels, bench.teacher),
        facts={
            "clips": len(test),
            "platforms": platforms,
            "sha256": {
                "manifest.json": sha256(convert / "files" / "manifest.json"),
                "golden.npz": sha256(job.dest / "golden.npz"),
            },
        },
    )


def _bench(job: Job, corpus: Path, test: Clips, golden: np.ndarray, train: Path, quantize: Path, files: Path) -> Bench:
    framework = frameworks.choose(job.model.framework)
    framework.one_thread()
    front = pianissimo.frontend.build(records.read_json(files / "manifest.json")["frontend"])
    features = test.features(front)
    teacher, network = framework.load(train / "network"), framework.load(quantize / "scheme" / "network")
    return Bench(
        files,
        metrics.choose(job.model.metric),
        job.section,
        job.recipe.seed,
        test.labels,
        test.audio,
        [corpus / path for path in test.paths],
        front.sample_rate,
        features,
        framework.predict(teacher, features),
        framework.predict(network, features),
        golden,
        framework.caller(teacher),
    )


def _golden(data: Path, count: int) -> dict[str, np.ndarray]:
    """Clips of validation, padded to the longest, with what the training side's front end makes of them."""
    front = pianissimo.frontend.build(clips.read_prepared(data).frontend)
    held = clips.read(data, "validation")
    chosen = [held.audio[i] for i in np.linspace(0, len(held) - 1, min(count, len(held)), dtype=int)]
    audio = np.zeros((len(chosen), max(map(len, chosen))), np.float32)
    for row, clip in zip(audio, chosen, strict=True):
        row[: len(clip)] = clip
    return {
        "audio": audio,
        "sample_rate": np.array(front.sample_rate),
        "features": np.stack([front(row) for row in audio]),
    }


def _metrics(platforms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The few numbers `dvc metrics` shows: of each platform's first choice."""
    shown = ("score", "drop", "bytes", "smaller", "p50_ms", "faster", "memory_mb")
    return {name: {key: next(iter(variants.values()))[key] for key in shown} for name, variants in platforms.items()}


if __name__ == "__main__":
    command.main("validate", run)
