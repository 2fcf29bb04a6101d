"""What the other side does meanwhile, to the registry that PIANISSIMO_REGISTRY names: publisher.py wheel | second | tamper."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from pianissimo import layout
from pianissimo import manifest as manifests

import registry
from registry import signing, state

ROOT = os.environ["PIANISSIMO_REGISTRY"]
STORE = registry.open_store(ROOT)


def wheel() -> None:
    """An address from which pip takes the newest wheel: pip knows no s3://, but every S3 server knows signed addresses."""
    bucket, _, prefix = ROOT.removeprefix("s3://").partition("/")
    key = max(
        STORE.list(layout.runtime_key("")), key=lambda name: [int(part) for part in name.split("-")[1].split(".")]
    )
    where = {"Bucket": bucket, "Key": f"{prefix}/{key}"}
    client = boto3.session.Session().client("s3", config=Config(signature_version="s3v4"))
    print(client.generate_presigned_url("get_object", Params=where, ExpiresIn=600))


def second() -> None:
    """Publishes keywords once more, with another form for edge: one that another platform has."""
    key = layout.manifest_key("keywords", _stable())
    content: dict[str, Any] = json.loads(STORE.get(key))
    used = content["platforms"]["edge"]["variants"][0]
    others = (variant for platform in content["platforms"].values() for variant in platform["variants"])
    other = next(variant for variant in others if variant["name"] != used["name"])
    content["platforms"] = {"edge": {"variants": [other], "figures": {}}}
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for at, file in enumerate(manifests.parse(content).files()):
            files[file.name] = Path(folder, str(at))
            files[file.name].write_bytes(STORE.get(layout.blob_key(file.sha256)))
        channels = ["candidate", "stable"]
        done = registry.publish(STORE, content, files, channels, "smoke", "a second version", signing.found())
    print(f"published keywords version {done.version} with {other['name']} for edge; moved {', '.join(done.moved)}")


def tamper() -> None:
    """Swaps the label seven with another one, or swaps them back, without a signature."""
    key = layout.manifest_key("keywords", _stable())
    before = STORE.get(key)
    content: dict[str, Any] = json.loads(before)
    labels = content["labels"]
    at, other = labels.index("seven"), labels.index("eight" if "eight" in labels else labels[-1])
    labels[at], labels[other] = labels[other], labels[at]
    assert STORE.compare_and_swap(key, before, (json.dumps(content, indent=2) + "\n").encode())
    print(f"swapped {labels[at]} and {labels[other]} in {key}")


def _stable() -> int:
    return state.read_model(STORE, "keywords").channels["stable"].version


COMMANDS = {"wheel": wheel, "second": second, "tamper": tamper}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]]()
