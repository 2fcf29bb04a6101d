"""Publishes the platforms that passed, with their proof: figures, golden vectors, lineage, and the runtime's wheel."""

import getpass
import os
from pathlib import Path
from typing import Any

from pianissimo import layout
from pianissimo.integrity import sha256

import registry
from models import Model
from registry import lineage, signing
from tasks import card, command, records
from tasks.command import Job
from tasks.records import Record, RecordError


def run(job: Job, data: Path, convert: Path, validate: Path, gate: Path, runtime: Path) -> Record:
    """Puts into the registry what GATE let pass of what CONVERT made; refuses files that are not the ones it judged."""
    verdict = records.read_json(gate / "verdict.json")
    manifest = records.read_json(convert / "files" / "manifest.json")
    passed = [name for name, platform in verdict["platforms"].items() if platform["passed"]]
    reasons = {name: platform["reasons"] for name, platform in verdict["platforms"].items() if not platform["passed"]}
    store, signer = registry.open_store(job.section.registry), signing.found()
    if not passed:
        return job.record(applied=False, reason="the gate rejected every platform", facts={"rejected": reasons})
    files = _files(manifest, passed, convert / "files", validate)
    _check_judged(verdict, passed, files, {"manifest.json": convert / "files" / "manifest.json"}, validate)
    for wheel in sorted(runtime.glob("*.whl")):
        registry.put_runtime(store, wheel, signer=signer)
    draft = _draft(job, manifest, passed, reasons, validate, data)
    # `stable` is what consumers load: it moves to whole versions only, never to one that lacks a platform it had.
    channels = [c for c in job.section.channels if c != "stable" or verdict["passed"]]
    why = "published by the pipeline: " + _why(verdict)
    done = registry.publish(store, draft, files, channels, _who(), why, signer)
    _put_card(store, job.model, done.version, signer)
    return job.record(
        facts={
            "version": done.version,
            "new": done.new,
            "moved": done.moved,
            "platforms": passed,
            "rejected": reasons,
            "registry": job.section.registry,
        }
    )


def _put_card(store: registry.Store, model: Model, version: int, signer: registry.Signer | None) -> None:
    """Writes the version's card from its manifest as it lies there; one that is there stays, as the manifest does."""
    key = layout.manifest_key(model.name, version)
    manifest = records.parse(store.get(key), key)
    registry.put_card(store, model.name, version, card.text(manifest, model.metric), signer)


def _draft(
    job: Job,
    manifest: dict[str, Any],
    passed: list[str],
    reasons: dict[str, list[str]],
    validate: Path,
    data: Path,
) -> dict[str, Any]:
    measured = records.read(validate).facts["platforms"]
    platforms = {name: {**manifest["platforms"][name], "figures": measured[name]} for name in passed}
    return {
        **manifest,
        "platforms": platforms,
        "rejected": reasons,
        "golden": {
            "name": "golden.npz",
            "bytes": (validate / "golden.npz").stat().st_size,
            "sha256": sha256(validate / "golden.npz"),
        },
        "lineage": lineage.collect(
            job.model.name,
            job.recipe.model_dump(mode="json", by_alias=True),
            records.read_json(data / "clips" / "prepared.json")["corpus"],
        ),
    }


def _files(manifest: dict[str, Any], passed: list[str], folder: Path, validate: Path) -> dict[str, Path]:
    named = [
        entry["name"]
        for name in passed
        for variant in manifest["platforms"][name]["variants"]
        for entry in variant["files"]
    ]
    return {**{name: folder / name for name in named}, "golden.npz": validate / "golden.npz"}


def _check_judged(
    verdict: dict[str, Any], passed: list[str], files: dict[str, Path], beside: dict[str, Path], validate: Path
) -> None:
    """A verdict speaks for the very bytes that were measured: model files, golden vectors, manifest and figures."""
    judged = {name: sha for platform in passed for name, sha in verdict["platforms"][platform]["sha256"].items()}
    judged |= {**verdict["sha256"], records.FILE: verdict["record_sha256"]}
    found = {**files, **beside, records.FILE: validate / records.FILE}
    for name in sorted({*judged, *found}):
        path = found.get(name)
        now = sha256(path) if path and path.is_file() else "absent"
        if now != judged.get(name):
            was = judged.get(name, "nothing of that name")
            raise RecordError(f"{name} is {now}, but the verdict judged {was}; run validate and gate again")


def _who() -> str:
    """The user's name, or number in a container that has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _why(verdict: dict[str, Any]) -> str:
    return "every platform passed the gate" if verdict["passed"] else "some platforms passed the gate"


if __name__ == "__main__":
    command.main("publish", run)
