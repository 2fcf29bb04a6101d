"""A registry in a bucket answers as the folder it came from; whatever breaks on the way is mended or told in words."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo import download, store
from pianissimo.manifest import File

from tests.runtime import s3_servers
from tests.runtime.conftest import tone

Make = Callable[..., Path]
ROOT = f"s3://{s3_servers.BUCKET}/teams/audio"
SPEC = {
    "kind": "log_mel", "sample_rate": 16000, "seconds": 1.0, "frame": 480, "hop": 320, "fft": 512, "mels": 40,
    "fmin": 20.0, "fmax": 4000.0,
}  # fmt: skip
CLASSES = 3
WIDE = 400  # makes the network a file of about three megabytes
RNG = np.random.default_rng(11)


@pytest.fixture(scope="module", params=["moto", "rclone"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "moto":
        with s3_servers.moto() as address:
            yield address
    else:
        with s3_servers.rclone(tmp_path_factory.mktemp("bucket")) as address:
            yield address


@pytest.fixture
def folder(assemble: Make, tmp_path: Path) -> Path:
    """A registry in a folder with one model of some size, two versions of it, and golden vectors."""
    import registry
    from tests.runtime.conftest import publish_folder, write_golden

    steps = [
        {"op": "input", "shape": [49, 40]},
        {"op": "flatten"},
        {"op": "dense", "arrays": {"weight": "first", "bias": "zero"}},
        {"op": "relu"},
        {"op": "dense", "arrays": {"weight": "second", "bias": "bias"}},
        {"op": "softmax"},
    ]
    root = tmp_path / "registry"
    for version in (1, 2):
        arrays = {
            "first": RNG.normal(0, 0.02, (1960, WIDE)).astype(np.float32),
            "zero": np.zeros(WIDE, np.float32),
            "second": RNG.normal(0, 0.05, (WIDE, CLASSES)).astype(np.float32),
            "bias": np.full(CLASSES, version, np.float32),
        }
        build = assemble(SPEC, steps, arrays)
        write_golden(build, json.loads((build / "manifest.json").read_text()))
        publish_folder(registry.open_store(str(root)), build)
    return root


@pytest.fixture
def bucket(server: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server that holds that registry; this process is set up to read it."""
    s3_servers.upload(server, folder, "teams/audio/")
    settings(monkeypatch, server, tmp_path)
    return server


def settings(monkeypatch: pytest.MonkeyPatch, address: str, tmp_path: Path, **changes: str) -> None:
    wanted = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": s3_servers.KEY,
        "AWS_SECRET_ACCESS_KEY": s3_servers.SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "PIANISSIMO_CACHE": str(tmp_path / "cache"),
    }
    for name, value in (wanted | changes).items():
        monkeypatch.setenv(name, value)
    for name in ("PIANISSIMO_REGISTRY", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def wire(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3_servers.Wire]:
    made = s3_servers.Wire(bucket)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.address)
    monkeypatch.setattr(download, "pause", lambda attempt: None)
    yield made
    made.close()


def blobs(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("blobs/sha256/*") if path.is_file()]


@pytest.mark.usefixtures("bucket")
def test_it_answers_as_the_folder_does(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with pp.load("tones", registry=ROOT, progress=lambda *step: told.append(step)) as model:
        with pp.load("tones", registry=folder) as near:
            assert model.predict(tone(300), 16000).scores == near.predict(tone(300), 16000).scores
        assert model.info.version == 2
        assert model.verify().clips == 3
        size = model.info.bytes
    done = [step[1] for step in told if step[0] == "network.npz"]
    assert done == sorted(done)
    assert (done[-1], {step[2] for step in told if step[0] == "network.npz"}) == (size, {size})
    assert pp.load("tones", version=1, registry=ROOT).info.version == 1


@pytest.mark.usefixtures("bucket")
def test_names_that_are_not_there(tmp_path: Path) -> None:
    registry = store.open_registry(ROOT)
    assert (registry.models(), registry.versions("tones")) == (["tones"], [1, 2])
    assert registry.channels("tones") == {"candidate": 2, "stable": 2}
    for wanted, known in [
        ({"name": "words"}, "tones"),
        ({"channel": "beta"}, "candidate, stable"),
        ({"version": 9}, "1, 2"),
    ]:
        with pytest.raises(pp.ModelNotFoundError, match=f"{ROOT}; known: {known}"):
            pp.load(**{"name": "tones", "registry": ROOT, **wanted})  # type: ignore[arg-type]
    with pytest.raises(pp.ModelNotFoundError, match="known: none"):
        pp.load("tones", registry=f"s3://{s3_servers.BUCKET}/elsewhere")


def test_the_second_time_it_downloads_nothing_and_offline_it_still_loads(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pp.load("tones", registry=ROOT).close()
    told: list[Any] = []
    pp.load("tones", registry=ROOT, progress=lambda *step: told.append(step)).close()
    assert told == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert pp.load("tones").info.version == 2  # no registry named: the one that was downloaded from
    with pytest.raises(pp.RegistryError, match="cannot be reached"):
        pp.load("tones", registry=ROOT)


def test_two_registries_are_not_confused(bucket: str, folder: Path, tmp_path: Path) -> None:
    s3_servers.upload(bucket, folder, "others/")
    pp.load("tones", registry=ROOT).close()
    pp.load("tones", registry=f"s3://{s3_servers.BUCKET}/others", version=1).close()
    assert len(list((tmp_path / "cache/registries").iterdir())) == 2
    with pytest.raises(pp.RegistryError, match=f"several were downloaded from .*{ROOT} at {bucket}"):
        pp.load("tones")


def test_a_download_that_breaks_goes_on(wire: s3_servers.Wire, tmp_path: Path) -> None:
    """Three breaks in one call; each request asks for what is missing alone."""
    pp.load("tones", registry=ROOT, version=1).close()  # the small documents come first, over a whole wire
    wire.after, wire.cuts = 700_000, 3
    told: list[tuple[str, int, int]] = []
    with pp.load("tones", registry=ROOT, progress=lambda *step: told.append(step)) as model:
        assert model.verify().clips == 3
    done = [step[1] for step in told if step[0] == "network.npz"]
    assert wire.cuts == 0
    assert done == sorted(done)
    assert len(done) == len(set(done))  # no byte came twice


def test_a_download_that_never_ends_is_gone_on_from_later(wire: s3_servers.Wire, tmp_path: Path) -> None:
    registry = store.open_registry(ROOT)
    file = registry.manifest("tones").platforms["edge"].variants[0].model_file
    wire.after, wire.cuts = 700_000, 1
    registry.store._progress = stop_at(1_000_000)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        registry.blob(file)
    assert blobs(tmp_path) == []
    (part,) = (tmp_path / "cache").rglob("*.part")
    left = part.stat().st_size
    assert left >= 1_000_000
    told: list[int] = []
    again = store.open_registry(ROOT, lambda name, done, total: told.append(done))
    assert again.blob(file).stat().st_size == file.bytes
    assert min(told) > left


def stop_at(limit: int) -> Callable[[str, int, int], None]:
    def progress(name: str, done: int, total: int) -> None:
        if done >= limit:
            raise KeyboardInterrupt

    return progress


def test_a_wire_that_gives_nothing_is_given_up(wire: s3_servers.Wire) -> None:
    file = store.open_registry(ROOT).manifest("tones").platforms["edge"].variants[0].model_file
    wire.after, wire.cuts = 0, 10**6
    with pytest.raises(pp.RegistryError, match=r"cannot be reached|the connection broke"):
        store.open_registry(ROOT).blob(file)


@pytest.mark.usefixtures("bucket")
def test_a_damaged_beginning_is_thrown_away(tmp_path: Path) -> None:
    registry = store.open_registry(ROOT)
    file = registry.manifest("tones").platforms["edge"].variants[0].model_file
    aside = registry.store.mirror / ".incoming"  # type: ignore[attr-defined]
    for beginning in (b"rubbish" * 1000, b"x" * (file.bytes + 5), b"y" * file.bytes):
        aside.mkdir(exist_ok=True)
        (aside / f"{file.sha256}.part").write_bytes(beginning)
        path = registry.blob(file)
        assert download.is_whole(path, file)
        path.unlink()


@pytest.mark.usefixtures("bucket")
def test_a_damaged_copy_in_the_cache_is_brought_again(tmp_path: Path) -> None:
    pp.load("tones", registry=ROOT).close()
    for path in blobs(tmp_path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pp.load("tones", registry=ROOT) as model:
        assert model.verify().clips == 3


@pytest.mark.parametrize("fault", ["changed", "short", "gone"])
def test_a_wrong_file_in_the_bucket_is_never_opened(bucket: str, tmp_path: Path, fault: str) -> None:
    file = store.open_registry(ROOT).manifest("tones").platforms["edge"].variants[0].model_file
    there, key = s3_servers.client(bucket), f"teams/audio/blobs/sha256/{file.sha256}"
    if fault == "gone":
        there.delete_object(Bucket=s3_servers.BUCKET, Key=key)
    else:
        whole = there.get_object(Bucket=s3_servers.BUCKET, Key=key)["Body"].read()
        there.put_object(
            Bucket=s3_servers.BUCKET, Key=key, Body=whole[:-9] + b"123456789" if fault == "changed" else whole[:-9]
        )
    with pytest.raises(pp.IntegrityError):
        pp.load("tones", registry=ROOT)
    assert blobs(tmp_path) == []


@pytest.mark.usefixtures("bucket")
def test_many_at_once_download_once(tmp_path: Path) -> None:
    told: list[str] = []

    def load(_: int) -> str:
        with pp.load("tones", registry=ROOT, progress=lambda name, done, total: told.append(name)) as model:
            return model.predict(tone(300), 16000).label

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(load, range(8)))) == 1
    chunks = told.count("network.npz")
    assert 0 < chunks <= 2 + 3_200_000 // 2**18 + 20  # one file's worth, however the server cuts it
    code = f"import pianissimo as pp; print(pp.load('tones', registry={ROOT!r}).info.version)"
    other = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True)
    assert other.stdout == "2\n"


def test_what_is_wrong_is_said(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pp.RegistryError, match="no such bucket"):
        pp.load("tones", registry="s3://nobody-has-this")
    for address in ("s3://", "s3:///models", "s3://No Such!/x", "s3://ab"):
        with pytest.raises(pp.RegistryError, match=r"no bucket's address; allowed: s3://BUCKET"):
            pp.load("tones", registry=address)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not an address")
    with pytest.raises(pp.RegistryError, match="not an address"):
        pp.load("tones", registry=ROOT)
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket)
    monkeypatch.setenv("PIANISSIMO_CACHE", str(tmp_path / "file/cache"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(pp.RegistryError, match="PIANISSIMO_CACHE=FOLDER"):
        pp.load("tones", registry=ROOT)


def test_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "served" / s3_servers.BUCKET).mkdir(parents=True)
    with s3_servers.rclone(tmp_path / "served") as address:
        settings(monkeypatch, address, tmp_path, AWS_SECRET_ACCESS_KEY="wrong")
        with pytest.raises(pp.RegistryError, match="the secret key is not this access key's"):
            pp.load("tones", registry=ROOT)
        settings(monkeypatch, address, tmp_path, AWS_ACCESS_KEY_ID="stranger")
        with pytest.raises(pp.RegistryError, match=r"does not know this access key|access was denied"):
            pp.load("tones", registry=ROOT)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(pp.RegistryError, match=r"no credentials .*; allowed: AWS_ACCESS_KEY_ID"):
            pp.load("tones", registry=ROOT)


def test_who_sends_without_an_end_fills_no_disk(tmp_path: Path) -> None:
    file = File("network.npz", 100, "0" * 64, "model")
    told: list[int] = []
    with pytest.raises(pp.IntegrityError, match="expected 100, found more"):
        download.fetch(
            file, tmp_path / "blob", tmp_path, lambda _: iter([b"x" * 64] * 100), lambda *step: told.append(step[1])
        )
    assert told == [64]


@pytest.mark.usefixtures("bucket")
def test_a_cache_without_room_is_told_and_gone_on_from() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(pp.RegistryError, match=r"the cache .* failed .*allowed: room .*PIANISSIMO_CACHE=FOLDER"):
            pp.load("tones", registry=ROOT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told: list[int] = []
    pp.load("tones", registry=ROOT, progress=lambda name, done, total: told.append(done)).close()
    assert min(told) > 500_000


@pytest.mark.usefixtures("bucket")
def test_a_cache_that_came_along_read_only_still_serves(
    folder: Path, server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a container's image; documents are read from the bucket, and only without it would the new ones be missed."""
    import registry

    pp.load("tones", registry=ROOT).close()
    pp.load("tones", version=1, registry=ROOT).close()

    def said() -> list[str]:
        return [record.getMessage().partition(" in the cache")[0] for record in caplog.records if record.name == "pianissimo"]

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", refuse)
        assert pp.load("tones", registry=ROOT).info.version == 2
        assert said() == []
    registry.rollback(registry.open_store(str(folder)), "tones", "stable", "tester", "a test")
    s3_servers.upload(server, folder, "teams/audio/")
    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert pp.load("tones", registry=ROOT).info.version == 1
    assert said() == [f"{ROOT} cannot be kept"]


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PIANISSIMO_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("PIANISSIMO_REGISTRY", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(pp.RegistryError, match="allowed: PIANISSIMO_CACHE=FOLDER"):
        pp.load("tones")


def test_without_boto3(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['boto3'] = None\n"
        "import pianissimo as pp\n"
        "try: pp.load('tones', registry='s3://bucket')\n"
        "except pp.BackendMissingError as fault: print(fault)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'pianissimo[s3]'" in done.stdout
