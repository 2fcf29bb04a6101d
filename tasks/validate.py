"""Measures every form of a model on the test split, through the runtime, in one run with its teacher."""

from pathlib import Path
from typing import Any

import numpy as np
import pianissimo.frontend
import pianissimo.golden
from pianissimo.integrity import sha256

import frameworks
from frameworks import Framework, metrics
from frameworks.progress import Progress
from frameworks.proof.bench import Bench, Recording, Subject, Teacher
from frameworks.proof.platform import prove
from tasks import clips, command, mistakes, provenance, records, stand_in
from tasks.clips import Clips
from tasks.command import Job
from tasks.records import Record


def run(job: Job, corpus: Path, data: Path, train: Path, distill: Path, quantize: Path, convert: Path) -> Record:
    """Proves what CONVERT made against the teacher of TRAIN; only here is the test split opened, and its files in CORPUS."""
    front = pianissimo.frontend.build(clips.read_prepared(data).frontend)
    chosen, test = _golden(data, job.section.golden), clips.read(data, "test")
    bench = _bench(job, corpus, test, chosen.features(front), train, distill, quantize, convert / "files")
    manifest = records.read_json(convert / "files" / "manifest.json")
    plan = records.read_json(quantize / "scheme" / "plan.json")
    variants = [(name, variant) for name, platform in manifest["platforms"].items() for variant in platform["variants"]]
    progress = Progress("validate", len(variants))
    faults = provenance.faults(data, distill, manifest["frontend"])
    platforms: dict[str, dict[str, Any]] = {}
    golden: dict[str, Any] = {}
    labels = tuple(manifest["labels"])
    wrong = {"teacher": mistakes.made(bench, bench.teacher.metric, bench.teacher.outputs, labels)}
    for name, variant in variants:
        platform = job.recipe.convert.platforms[name]
        small = platform.device == "micro"
        target = plan.get("micro" if small else "int8", {}) if variant["precision"] == "int8" else {}
        subject = bench.subjects["stand_in" if platform.stand_in else "float"]
        figures, golden[f"{name}/{variant['name']}"] = prove(
            bench,
            name,
            variant,
            subject=subject,
            is_micro=small,
            float_layers=tuple(target.get("float_layers", ())),
        )
        wrong[f"{name} {variant['name']}"] = mistakes.of_form(bench, subject, name, variant["name"], labels)
        platforms.setdefault(name, {})[variant["name"]] = {**figures, "audit": [*figures["audit"], *faults]}
        progress.step(f"{name} {variant['name']}: {figures['score']:.2f} %")
    pianissimo.golden.write(job.dest / "golden.npz", chosen.audio, front.sample_rate, list(bench.golden), golden)
    records.write_json(job.dest / "metrics.json", _metrics(platforms))
    command.write_table(job.dest / "forms.csv", _forms(platforms))
    return job.record(
        score=bench.teacher.metric.measure(bench.labels, bench.teacher.outputs),
        facts={
            "clips": len(test),
            "platforms": platforms,
            "mistakes": wrong,
            "sha256": {
                "manifest.json": sha256(convert / "files" / "manifest.json"),
                "golden.npz": sha256(job.dest / "golden.npz"),
            },
        },
    )


def _bench(
    job: Job, corpus: Path, test: Clips, golden: Any, train: Path, distill: Path, quantize: Path, files: Path
) -> Bench:
    framework = frameworks.choose(job.model.framework)
    framework.one_thread()
    manifest = records.read_json(files / "manifest.json")
    front = pianissimo.frontend.build(manifest["frontend"])
    features, labels = test.features(front), tuple(manifest["labels"])
    subjects = {"float": _subject(job, framework, framework.load(quantize / "scheme" / "network"), features, labels)}
    other = job.recipe.distill.stand_in
    if other is not None:
        made = stand_in.load(distill, other.framework)
        subjects["stand_in"] = _subject(
            job, frameworks.choose(other.framework), made, features, labels, reference="stand_in"
        )
    return Bench(
        files,
        job.model.task,
        job.section,
        job.recipe.seed,
        test.labels,
        test.audio,
        _recordings(job, corpus, test),
        front.sample_rate,
        features,
        golden,
        _teacher(job, framework, train, test, features, manifest),
        subjects,
    )


def _teacher(
    job: Job, framework: Framework, train: Path, test: Clips, features: Any, manifest: dict[str, Any]
) -> Teacher:
    network, spec = framework.load(train / "network"), clips.read_frontend(train)
    own = features if spec == manifest["frontend"] else test.features(pianissimo.frontend.build(spec))
    metric = metrics.choose(job.model.metric, tuple(manifest["labels"]), framework.settings(network))
    return Teacher(metric, framework.predict(network, own), own, framework.caller(network))


def _subject(
    job: Job, framework: Framework, network: Any, features: Any, labels: tuple[str, ...], reference: str = "float"
) -> Subject:
    metric = metrics.choose(job.model.metric, labels, framework.settings(network))
    return Subject(reference, metric, framework.predict(network, features))


def _recordings(job: Job, corpus: Path, test: Clips) -> list[Recording]:
    """Where each clip comes from; a piece is a stretch of its file."""
    seconds = job.recipe.prepare.pieces
    lengths = [len(clip) / job.recipe.prepare.frontend["sample_rate"] for clip in test.audio]
    return [
        Recording(corpus / path, float(start), length if seconds else None)
        for path, start, length in zip(test.paths, test.starts, lengths, strict=True)
    ]


def _golden(data: Path, count: int) -> Clips:
    """The clips of validation whose answers are recorded for every port and device to give again."""
    held = clips.read(data, "validation")
    return held.only(np.linspace(0, len(held) - 1, min(count, len(held)), dtype=int))


def _metrics(platforms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The few numbers `dvc metrics` shows: of each platform's first choice."""
    shown = ("score", "drop", "bytes", "smaller", "p50_ms", "faster", "memory_mb")
    return {name: {key: next(iter(variants.values()))[key] for key in shown} for name, variants in platforms.items()}


def _forms(platforms: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a form, the teacher in each backend first: what `dvc plots` draws as size against score."""
    rows = {}
    for name, variants in platforms.items():
        for variant, figures in variants.items():
            teacher = f"teacher {figures['teacher_backend']}"
            rows[teacher] = (figures["teacher_bytes"], figures["teacher_score"])
            rows[f"{name} {variant}"] = (figures["bytes"], figures["score"])
    ordered = sorted(rows.items(), key=lambda row: (not row[0].startswith("teacher"), row[0]))
    return [{"form": form, "bytes": size, "score": round(score, 3)} for form, (size, score) in ordered]


if __name__ == "__main__":
    command.main("validate", run)
