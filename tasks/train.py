"""Trains the float teacher, everything after it is measured against."""

from pathlib import Path

import frameworks
from tasks import clips, command, networks
from tasks.command import Job
from tasks.records import Record


def run(job: Job, data: Path) -> Record:
    """Trains the model's teacher on what prepare left in DATA, or brings in the network that the recipe names."""
    framework = frameworks.choose(job.model.framework)
    framework.seed(job.recipe.seed)
    heard = clips.teacher_frontend(data, job.section.frontend)
    clips.check_start(job.section.start, heard, "train.start")
    examples = clips.examples(data, job.model, heard).as_heard()
    record = networks.left(job, framework, examples, framework.train(job.model, examples, job.section))
    clips.write_frontend(job.dest / "network", heard)
    return record


if __name__ == "__main__":
    command.main("train", run)
