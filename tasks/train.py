"""Trains the float teacher, everything after it is measured against."""

from pathlib import Path

import frameworks
from tasks import clips, command, networks
from tasks.command import Job
from tasks.records import Record


def run(job: Job, data: Path) -> Record:
    """Trains the model's teacher on what prepare left in DATA."""
    framework = frameworks.choose(job.model.framework)
    framework.seed(job.recipe.seed)
    examples = clips.examples(data, job.model.metric)
    return networks.left(job, framework, examples, framework.train(job.model, examples, job.section))


if __name__ == "__main__":
    command.main("train", run)
