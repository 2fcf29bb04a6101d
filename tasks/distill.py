"""Trains the much smaller student, with the teacher and without, and keeps the better."""

from dataclasses import replace
from pathlib import Path

import frameworks
from tasks import clips, command, networks, stand_in
from tasks.command import Job
from tasks.records import Record


def run(job: Job, data: Path, train: Path) -> Record:
    """Trains the model's student under the teacher that TRAIN left, and the stand-in where the recipe has one."""
    framework = frameworks.choose(job.model.framework)
    framework.seed(job.recipe.seed)
    ships = clips.read_prepared(data).frontend
    clips.check_start(job.section.start, ships, "distill.start")
    examples = clips.examples(data, job.model, clips.read_frontend(train))
    teacher = framework.load(train / "network")
    outcome = framework.distill(job.model, teacher, examples, job.section)
    made = networks.left(job, framework, examples, outcome)
    clips.write_frontend(job.dest / "network", ships)
    if job.section.stand_in is None:
        return made
    soft = framework.predict(teacher, examples.train.teacher_features())
    return replace(made, facts={**made.facts, "stand_in": stand_in.make(job, examples, soft)})


if __name__ == "__main__":
    command.main("distill", run)
