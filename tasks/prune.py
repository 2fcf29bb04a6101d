"""Narrows the student's channels and zeroes its small weights, as far as validation allows."""

from pathlib import Path

import frameworks
from tasks import clips, command, networks
from tasks.command import Job
from tasks.records import Record


def run(job: Job, data: Path, distill: Path) -> Record:
    """Prunes the network that DISTILL left."""
    framework = frameworks.choose(job.model.framework)
    framework.seed(job.recipe.seed)
    examples = clips.examples(data, job.model)
    network = framework.load(distill / "network")
    return networks.left(job, framework, examples, framework.prune(network, examples, job.section))


if __name__ == "__main__":
    command.main("prune", run)
