"""A draft without a real network: publishing looks at bytes only."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import registry
from tests.registry import s3_servers

Draft = tuple[dict[str, Any], dict[str, Path]]


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Draft]:
    """`draft(b"weights")` gives a manifest and its files; other weights are other content."""

    def make(weights: bytes = b"weights", **changes: Any) -> Draft:
        folder = tmp_path / "build" / hashlib.sha256(weights).hexdigest()[:8]
        folder.mkdir(parents=True, exist_ok=True)
        entries, files = {}, {}
        for name, data in {"edge/model.tflite": weights, "mcu/model.cc": b"source", "golden.npz": b"golden"}.items():
            files[name] = folder / name.replace("/", "-")
            files[name].write_bytes(data)
            entries[name] = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        variant = {
            "name": "int8",
            "backend": "tflite",
            "precision": "int8",
            "threshold": None,
            "files": [{**entries["edge/model.tflite"], "role": "model"}, {**entries["mcu/model.cc"], "role": "source"}],
            "tolerance": {"features": 1e-4, "scores": 1e-5},
        }
        manifest = {
            "schema": 1,
            "model": "keywords",
            "version": None,
            "created": None,
            "least_runtime": "0.1.0",
            "task": "classify",
            "labels": ["yes", "no"],
            "frontend": {"kind": "log_mel"},
            "input": {"max_seconds": 30.0},
            "platforms": {"edge": {"variants": [variant], "figures": {"milliseconds": 0.4}}},
            "golden": entries["golden.npz"],
            "lineage": {"commit": "abc"},
            "rejected": {},
        }
        return {**manifest, **changes}, files

    return make


def tree(root: Path) -> dict[str, bytes]:
    """Every file of a registry by its path, without what changes with the clock."""
    import re

    moment = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    return {
        path.relative_to(root).as_posix(): moment.sub(b"(moment)", path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(name="tree")
def tree_fixture() -> Callable[[Path], dict[str, bytes]]:
    return tree


@pytest.fixture(scope="session")
def moto_server() -> Iterator[tuple[str, s3_servers.Faulty]]:
    with s3_servers.moto() as (endpoint, application):
        s3_servers.make_bucket(endpoint)
        yield endpoint, application


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_servers.rclone(tmp_path_factory.mktemp("rclone")) as endpoint:
        s3_servers.make_bucket(endpoint)
        yield endpoint


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`aws(endpoint)` sets what S3 clients of this test, and of its processes, read."""

    def use(endpoint: str) -> None:
        for name, value in {**s3_servers.NOWHERE, **s3_servers.SETTINGS, "AWS_ENDPOINT_URL": endpoint}.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)

    return use


@pytest.fixture(params=["folder", "moto", "rclone"])
def root(request: pytest.FixtureRequest, tmp_path: Path, aws: Callable[[str], None]) -> Iterator[str]:
    """The address of an empty registry, of each kind in turn."""
    if request.param == "folder":
        yield str(tmp_path / "registry")
        return
    server = request.getfixturevalue(f"{request.param}_server")
    endpoint, application = server if isinstance(server, tuple) else (server, None)
    aws(endpoint)
    yield f"s3://{s3_servers.BUCKET}/{uuid.uuid4().hex}"
    if application:
        application.plan = None


@pytest.fixture
def signer(tmp_path: Path) -> registry.Signer:
    """A key of this test's own."""
    return registry.signing.make(tmp_path / "keys/signing.pem")
