"""Makes the files of every platform by the scheme, the float references they are held against, and a draft manifest."""

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pianissimo

import frameworks
from frameworks import Framework, metrics
from frameworks.examples import Examples
from frameworks.formats import micro
from frameworks.formats.sessions import SUFFIX, answers
from frameworks.recipe import Platform, Variant
from tasks import clips, command, records, stand_in
from tasks.command import Job
from tasks.records import Record

# How far a port or another CPU's kernels may stray from the golden outputs, which are probabilities or unit vectors.
# Kernels for microcontrollers were up to 0.055 from LiteRT's on the same int8 file.
TOLERANCE = {"float32": 1e-4, "float16": 5e-3, "int8": 0.1}
GOLDEN_FEATURES = 1e-4


@dataclass(frozen=True)
class Source:
    """What files are made from: networks by name, in their framework, and the plan that quantizes them."""

    framework: Framework
    networks: dict[str, Any]
    plan: dict[str, Any]
    examples: Examples
    written: dict[tuple[str, str, bool], Path] = field(default_factory=dict)

    def write(self, variant: Variant, file: Path, *, small: bool) -> None:
        """Makes one file; platforms that ask for the same form get the same file, which is made once."""
        form = (variant.backend, variant.precision, small)
        if form in self.written:
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.written[form], file)
            return
        target = self.plan.get("micro" if small else "int8", {}) if variant.precision == "int8" else {}
        network = self.networks[target.get("network", "network")]
        self.framework.convert(network, target, variant, self.examples, file, micro=small)
        self.written[form] = file


def run(job: Job, data: Path, train: Path, distill: Path, quantize: Path) -> Record:
    """Converts what QUANTIZE decided and DISTILL's stand-in, beside the teacher that TRAIN left."""
    student = _student(job, data, quantize)
    other = _stand_in(job, student.examples, distill)
    files = job.dest / "files"
    platforms = {
        name: _platform(job, other if platform.stand_in and other else student, name, platform, files)
        for name, platform in job.section.platforms.items()
    }
    _references(job, student, other, _teacher(job, data, train), files / "reference")
    prepared = clips.read_prepared(data)
    settings = student.framework.settings(student.networks["network"])
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
        **({"enrolment": settings} if settings else {}),
    }
    records.write_json(files / "manifest.json", manifest)
    sizes = {
        f"{name}/{v['name']}": sum(f["bytes"] for f in v["files"] if f["role"] == "model")
        for name, platform in platforms.items()
        for v in platform["variants"]
    }
    return job.record(facts={"bytes": sizes, "plan": student.plan})


def _student(job: Job, data: Path, quantize: Path) -> Source:
    framework = frameworks.choose(job.model.framework)
    plan = records.read_json(quantize / "scheme" / "plan.json")
    names = {"network", *(target["network"] for target in plan.values())}
    loaded = {name: framework.load(quantize / "scheme" / name) for name in names}
    return Source(framework, loaded, plan, clips.examples(data, job.model))


def _stand_in(job: Job, examples: Examples, distill: Path) -> Source | None:
    wanted = job.recipe.distill.stand_in
    if wanted is None:
        return None
    framework = frameworks.choose(wanted.framework)
    return Source(framework, {"network": stand_in.load(distill, wanted.framework)}, {}, examples)


def _teacher(job: Job, data: Path, train: Path) -> Source:
    framework = frameworks.choose(job.model.framework)
    examples = clips.examples(data, job.model, clips.read_frontend(train)).as_heard()
    return Source(framework, {"network": framework.load(train / "network")}, {}, examples)


def _platform(job: Job, source: Source, name: str, platform: Platform, files: Path) -> dict[str, Any]:
    """One platform's part of the manifest, its files made."""
    small = platform.device == "micro"
    variants = []
    for variant in platform.variants:
        file = files / name / f"{job.model.name}-{variant.precision}{SUFFIX[variant.backend]}"
        source.write(variant, file, small=small)
        made = [_entry(files, file, "model")]
        if small:
            made += [_entry(files, made_of, role) for made_of, role in _c_sources(job, file, source.examples.labels)]
        variants.append(
            {
                "name": f"{variant.backend}-{variant.precision}",
                "backend": variant.backend,
                "precision": variant.precision,
                "files": made,
                "threshold": _threshold(source, variant.backend, file),
                "tolerance": {"features": GOLDEN_FEATURES, "scores": TOLERANCE[variant.precision]},
            }
        )
    return {"variants": variants, "figures": {}}


def _threshold(source: Source, backend: str, file: Path) -> float | None:
    """The decision threshold of this very file, fitted on validation, for tasks that decide by one."""
    examples = source.examples
    metric = metrics.choose(examples.metric, examples.labels, source.framework.settings(source.networks["network"]))
    if metric.threshold is None:
        return None
    held = examples.validation
    return metric.threshold(metric.evidence(held.labels, answers(file, backend, held.features)))


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


def _references(job: Job, student: Source, other: Source | None, teacher: Source, folder: Path) -> None:
    """Every float32 form that size, speed and the ladder are measured against: the teacher's and the student's in each
    backend of the student's platforms, the stand-in's in each of its own."""
    backends: dict[bool, set[str]] = {True: set(), False: set()}
    for platform in job.section.platforms.values():
        backends[platform.stand_in] |= {variant.backend for variant in platform.variants}
    wanted = [("teacher", teacher, False), ("float", student, False)]
    wanted += [("stand_in", other, True)] if other else []
    for name, source, stands_in in wanted:
        for backend in sorted(backends[stands_in]):
            form = Variant(backend=backend, precision="float32")  # type: ignore[arg-type]  # one of Variant's own
            source.write(form, folder / f"{name}{SUFFIX[backend]}", small=False)


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
