"""Makes the files of every platform by the scheme, the float references they are held against, and a draft manifest."""

import hashlib
from pathlib import Path
from typing import Any

import pianissimo

import frameworks
from frameworks.examples import Examples
from frameworks.formats import micro
from frameworks.recipe import Platform, Variant
from tasks import clips, command, records
from tasks.command import Job
from tasks.records import Record

SUFFIX = {"tflite": ".tflite", "onnx": ".onnx"}
# How far a port or another CPU's kernels may stray from the golden scores, which are probabilities. Kernels for
# microcontrollers were up to 0.055 from LiteRT's on the same int8 file.
TOLERANCE = {"float32": 1e-4, "float16": 5e-3, "int8": 0.1}
GOLDEN_FEATURES = 1e-4


def run(job: Job, data: Path, train: Path, quantize: Path) -> Record:
    """Converts what QUANTIZE decided, beside the teacher that TRAIN left."""
    framework = frameworks.choose(job.model.framework)
    examples = clips.examples(data, job.model.metric)
    plan = records.read_json(quantize / "scheme" / "plan.json")
    loaded = {
        name: framework.load(quantize / "scheme" / name) for name in {"network", *(t["network"] for t in plan.values())}
    }
    files = job.dest / "files"
    platforms = {
        name: _platform(job, framework, loaded, plan, examples, name, platform, files)
        for name, platform in job.section.platforms.items()
    }
    _references(job, framework, framework.load(train / "network"), loaded["network"], examples, files / "reference")
    prepared = clips.read_prepared(data)
    manifest = {
        "schema": 1,
        "model": job.model.name,
        "version": None,
        "created": None,
        "least_runtime": pianissimo.__version__,
        "task": job.model.task,
        "labels": list(prepared.labels),
        "frontend": prepared.frontend,
        "input": {"max_seconds": job.recipe.prepare.max_seconds},
        "platforms": platforms,
        "golden": None,
        "lineage": {},
        "rejected": {},
    }
    records.write_json(files / "manifest.json", manifest)
    sizes = {
        f"{name}/{v['name']}": sum(f["bytes"] for f in v["files"] if f["role"] == "model")
        for name, platform in platforms.items()
        for v in platform["variants"]
    }
    return job.record(facts={"bytes": sizes, "plan": plan})


def _platform(
    job: Job,
    framework: Any,
    loaded: dict[str, Any],
    plan: dict[str, Any],
    examples: Examples,
    name: str,
    platform: Platform,
    files: Path,
) -> dict[str, Any]:
    """One platform's part of the manifest, its files made."""
    small = platform.device == "micro"
    variants = []
    for variant in platform.variants:
        target = plan.get("micro" if small else "int8", {})
        network = loaded[target["network"]] if variant.precision == "int8" and target else loaded["network"]
        file = files / name / f"{job.model.name}-{variant.precision}{SUFFIX[variant.backend]}"
        framework.convert(network, target, variant, examples, file, micro=small)
        made = [_entry(files, file, "model")]
        if small:
            made += [_entry(files, source, role) for source, role in _c_sources(job, file, examples.labels)]
        variants.append(
            {
                "name": f"{variant.backend}-{variant.precision}",
                "backend": variant.backend,
                "precision": variant.precision,
                "files": made,
                "threshold": None,
                "tolerance": {"features": GOLDEN_FEATURES, "scores": TOLERANCE[variant.precision]},
            }
        )
    return {"variants": variants, "figures": {}}


def _c_sources(job: Job, file: Path, labels: tuple[str, ...]) -> list[tuple[Path, str]]:
    """The C array and its header, beside the file they carry."""
    source, header = micro.c_sources(file, job.model.name, labels, micro.arena(file))
    made = [
        (file.with_name(f"{job.model.name}.cc"), source, "source"),
        (file.with_name(f"{job.model.name}.h"), header, "header"),
    ]
    for place, text, _ in made:
        place.write_text(text, encoding="utf-8")
    return [(place, role) for place, _, role in made]


def _references(job: Job, framework: Any, teacher: Any, network: Any, examples: Examples, folder: Path) -> None:
    """Teacher and float network in every backend's float32 form: what size, speed and the ladder are measured against."""
    backends = {variant.backend for platform in job.section.platforms.values() for variant in platform.variants}
    for backend in sorted(backends):
        form = Variant(backend=backend, precision="float32")
        for name, made in (("teacher", teacher), ("float", network)):
            framework.convert(made, {}, form, examples, folder / f"{name}{SUFFIX[backend]}")


def _entry(files: Path, file: Path, role: str) -> dict[str, Any]:
    content = file.read_bytes()
    return {
        "name": file.relative_to(files).as_posix(),
        "role": role,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


if __name__ == "__main__":
    command.main("convert", run)
