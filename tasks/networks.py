"""What the stages that make a network share: how a network and its outcome become files and a record."""

from typing import Any

from frameworks import Framework, Outcome, Scheme, metrics
from frameworks.examples import Examples
from tasks import command
from tasks.command import Job
from tasks.records import Record


def left(job: Job, framework: Framework, examples: Examples, outcome: Outcome) -> Record:
    """Saves the network and its training curve, and records its size and its score on validation."""
    framework.save(outcome.network, job.dest / "network")
    command.write_curve(job.dest, outcome.curve)
    return record(job, framework, examples, outcome.network, outcome)


def record(job: Job, framework: Framework, examples: Examples, network: Any, outcome: Outcome | Scheme) -> Record:
    """The record of a stage that leaves `network` behind."""
    held = examples.validation
    metric = metrics.choose(examples.metric, examples.labels, framework.settings(network))
    score = metric.measure(held.labels, framework.predict(network, held.features))
    size = framework.size(network)
    return job.record(
        parameters=size.parameters,
        macs=size.macs,
        bytes=size.bytes,
        compressed_bytes=size.compressed_bytes,
        score=score,
        facts=outcome.facts,
    )
