"""Decides how each layer is quantized; `convert` makes the files by what this writes."""

import shutil
from pathlib import Path

import frameworks
from tasks import clips, command, networks, records
from tasks.command import Job
from tasks.records import Record


def run(job: Job, data: Path, prune: Path) -> Record:
    """Searches a scheme for the network that PRUNE left."""
    framework = frameworks.choose(job.model.framework)
    framework.seed(job.recipe.seed)
    examples = clips.examples(data, job.model)
    network = framework.load(prune / "network")
    scheme = framework.quantize(network, examples, job.section)
    for name, made in scheme.networks.items():
        framework.save(made, job.dest / "scheme" / name)
    records.write_json(job.dest / "scheme" / "plan.json", scheme.plan)
    command.write_curve(job.dest, scheme.curve)
    return networks.record(job, framework, examples, network, scheme)


def skipped(job: Job, sources: list[Path], reason: str) -> Record:
    """No scheme: `convert` finds the network of PRUNE and an empty plan, and makes float files only."""
    shutil.copytree(sources[-1] / "network", job.dest / "scheme" / "network")
    records.write_json(job.dest / "scheme" / "plan.json", {})
    command.write_curve(job.dest, [])
    return job.record(applied=False, reason=reason)


if __name__ == "__main__":
    command.main("quantize", run, skipped=skipped)
