"""Holds every figure beside its limit and writes the verdict; a rejection is a result, so the exit status is 0."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pianissimo.integrity import sha256

from frameworks import metrics
from frameworks.proof import verdict
from tasks import command, records
from tasks.command import Job
from tasks.records import Record


def run(job: Job, validate: Path) -> Record:
    """Judges what VALIDATE measured by the limits of the recipe."""
    facts = records.read(validate).facts
    platforms = {name: _judged(job, name, variants) for name, variants in facts["platforms"].items()}
    rejected = {name: platform["reasons"] for name, platform in platforms.items() if not platform["passed"]}
    content = {
        "model": job.model.name,
        "passed": not rejected,
        "platforms": platforms,
        "sha256": facts["sha256"],
        "record_sha256": sha256(validate / records.FILE),
    }
    records.write_json(job.dest / "verdict.json", content)
    reasons = "; ".join(f"{name}: {reason}" for name, found in rejected.items() for reason in found)
    return job.record(reason=reasons, facts={"passed": not rejected, "rejected": rejected})


def _judged(job: Job, name: str, variants: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A platform passes when every variant it may load passes: the runtime may fall back to any of them."""
    better = metrics.choose(job.model.metric).better
    limits = job.section.platforms.get(name)
    judged = {variant: verdict.judge(limits, figures, better) for variant, figures in variants.items()}
    reasons = [f"{variant}: {item.reason}" for variant, items in judged.items() for item in items if item.reason]
    return {
        "passed": not reasons,
        "reasons": reasons,
        "limits": {variant: [asdict(item) for item in items] for variant, items in judged.items()},
        "sha256": {file: sha for figures in variants.values() for file, sha in figures["sha256"].items()},
    }


if __name__ == "__main__":
    command.main("gate", run)
