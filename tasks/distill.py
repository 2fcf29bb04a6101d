"""Trains the much smaller student, with the teacher and without, and keeps the better."""

from pathlib import Path

import frameworks
from tasks import clips, command, networks
from tasks.command import Job
from tasks.records import Record


def run(job: Job, data: Path, train: Path) -> Record:
    """Trains the model's student under the teacher that TRAIN left."""
    framework = frameworks.choose(job.model.framework)
    framework.seed(job.recipe.seed)
    examples = clips.examples(data, job.model.metric)
    teacher = framework.load(train / "network")
    return networks.left(job, framework, examples, framework.distill(job.model, teacher, examples, job.section))


if __name__ == "__main__":
    command.main("distill", run)
