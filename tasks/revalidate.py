"""Scores what is on `stable` against the data there is now, as a consumer would load it, and says in words when it drifted.

`python -m tasks.revalidate MODEL DATA DEST`; DATA is what prepare left. It is no stage of dvc.yaml: its answer depends on the
registry, which DVC does not watch. The record's `drifted` holds a sentence a platform that drifted; the exit status is 0.
"""

from pathlib import Path
from typing import Any

import pianissimo
from pianissimo import PlatformNotFoundError

from frameworks import metrics
from frameworks.proof.bench import heard
from tasks import clips, command, mistakes
from tasks.clips import Clips
from tasks.command import Job
from tasks.records import Record, RecordError

ALLOWED = 1.0  # points, for platforms whose gate has no max_drop: the gate's own usual limit


def run(job: Job, data: Path) -> Record:
    """Measures every published platform on the test split of DATA."""
    test, prepared = clips.read(data, "test"), clips.read_prepared(data)
    rate = prepared.frontend["sample_rate"]
    found: dict[str, Any] = {}
    for platform in job.recipe.convert.platforms:
        try:
            model = pianissimo.load(job.model.name, platform, registry=job.recipe.publish.registry)
        except PlatformNotFoundError:
            continue  # not on stable yet, so there is nothing to drift
        with model:
            _check_labels(model.info.labels, prepared.labels, model.info.version)
            found[platform] = _measured(job, platform, model, test, rate)
    if not found:
        raise RecordError(f"nothing of {job.model.name} is on stable; publish a version first")
    drifted = [f"{name}: {one['drifted']}" for name, one in found.items() if one["drifted"]]
    return job.record(reason="; ".join(drifted), facts={"clips": len(test), "platforms": found, "drifted": drifted})


def _check_labels(published: tuple[str, ...], now: tuple[str, ...], version: int | None) -> None:
    """Labels are told apart by their place, so other labels are another task."""
    if published != now:
        changed = ", ".join(sorted(set(published) ^ set(now))) or "their order"
        raise RecordError(f"the labels of the data are not those of version {version}: {changed}; train a new version")


def _measured(job: Job, platform: str, model: pianissimo.Model, test: Clips, rate: int) -> dict[str, Any]:
    info, settings = model.info, job.recipe.validate_
    metric = metrics.choose(job.model.metric, info.labels, info.enrolment)
    evidence = metric.evidence(test.labels, heard(job.model.task, model, [(clip, rate) for clip in test.audio]))
    now, before = metric.score(evidence), float(info.figures[info.variant]["score"])
    low, high = mistakes.interval(metric, evidence, resamples=settings.bootstrap, seed=job.recipe.seed)
    lost = metric.drop(before, now)
    limits = job.recipe.gate.platforms.get(platform)
    allowed = limits.max_drop if limits and limits.max_drop is not None else ALLOWED
    # Both: a loss that matters, and one that these clips can tell from chance.
    worse = lost > allowed and not low <= before <= high
    words = f"version {info.version} scored {before:.2f} % when it was published and {now:.2f} % now, {lost:.2f} points worse"
    told = f"{info.variant}: {words} (95 % interval of the score {low:.2f} to {high:.2f}), allowed {allowed:g}"
    return {
        "version": info.version,
        "form": info.variant,
        "published": before,
        "score": now,
        "interval": [low, high],
        "lost": lost,
        "drifted": told if worse else "",
    }


if __name__ == "__main__":
    command.main("revalidate", run)
