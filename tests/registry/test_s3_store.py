"""The store in a bucket, on both servers: the same contract as a folder's, and what only a network can do wrong."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from pianissimo import RegistryError

import registry
from registry import claims, multipart, s3_client
from registry.s3 import LARGE, S3Store
from tests.registry import s3_servers
from tests.registry.s3_servers import Faulty, refusal
from tests.registry.test_folder_store import add_lines

SPAWN = multiprocessing.get_context("spawn")
ADDRESS = f"s3://{s3_servers.BUCKET}"
Moto = tuple[str, Faulty]
Use = Callable[[str], None]


def fail_times(times: int, answer: s3_servers.Answer, method: str = "") -> s3_servers.Plan:
    left = [times]

    def plan(environ: dict[str, Any]) -> s3_servers.Answer | None:
        if left[0] > 0 and method in {"", environ["REQUEST_METHOD"]}:
            left[0] -= 1
            return answer
        return None

    return plan


def test_the_contract(root: str) -> None:
    store = registry.open_store(root)
    assert store.list("") == []
    assert store.put_if_absent("a/b/1", b"one")
    assert not store.put_if_absent("a/b/1", b"two")
    assert store.get("a/b/1") == b"one"
    assert not store.compare_and_swap("key", b"old", b"new")
    assert store.compare_and_swap("key", None, b"one")
    assert not store.compare_and_swap("key", None, b"two")
    assert not store.compare_and_swap("key", b"other", b"two")
    assert store.compare_and_swap("key", b"one", b"two")
    assert store.get("key") == b"two"
    assert store.put_if_absent("a/c", b"")
    assert store.get("a/c") == b""
    assert -5 < store.age("a/c") < 60
    assert store.list("a/") == ["a/b/1", "a/c"]
    assert store.list("a") == ["a/b/1", "a/c"]
    assert store.list("nothing/") == []
    store.delete("a/c")
    store.delete("a/c")
    assert store.list("") == ["a/b/1", "key"]
    for missing in (store.get, store.age):
        with pytest.raises(registry.AbsentError, match="no a/c"):
            missing("a/c")


@pytest.mark.parametrize("key", ["", "/x", "../up", "a/../b", "a//b", ".lock/x", "a\0"])
def test_keys_stay_inside(moto_server: Moto, aws: Use, key: str) -> None:
    aws(moto_server[0])
    store = registry.open_store(f"{ADDRESS}/inside")
    for attempt in (lambda: store.get(key), lambda: store.put_if_absent(key, b""), lambda: store.delete(key)):
        with pytest.raises(RegistryError, match="relative path of plain parts"):
            attempt()


def test_more_keys_than_one_listing_holds(moto_server: Moto, aws: Use) -> None:
    aws(moto_server[0])
    client = boto3.client("s3")
    for number in range(1005):
        client.put_object(Bucket=s3_servers.BUCKET, Key=f"many/x/{number:04}", Body=b"")
    assert registry.open_store(f"{ADDRESS}/many").list("x/") == [f"x/{number:04}" for number in range(1005)]


def test_swaps_of_six_processes_all_count(root: str) -> None:
    workers = [SPAWN.Process(target=add_lines, args=(root, name, 3)) for name in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = registry.open_store(root).get("log").decode().split()
    assert sorted(lines) == sorted(f"{name}-{number}" for name in range(6) for number in range(3))


def test_a_server_without_conditions_is_told_and_locked(
    rclone_server: str, moto_server: Moto, aws: Use, caplog: pytest.LogCaptureFixture
) -> None:
    aws(rclone_server)
    root = f"{ADDRESS}/told"
    with caplog.at_level(logging.WARNING, "registry"):
        store = S3Store(root)
        store.put_if_absent("a", b"1")
        store.put_if_absent("b", b"1")
    assert [record.getMessage() for record in caplog.records] == [
        f"registry {root} knows no conditional writes: a lock object (.lock/) is used instead"
    ]
    left = boto3.client("s3").list_objects_v2(Bucket=s3_servers.BUCKET, Prefix="told/.lock/")
    assert left.get("Contents", []) == []
    aws(moto_server[0])
    assert S3Store(root).conditional


@pytest.mark.parametrize(
    "answer", [refusal("501 Not Implemented", "NotImplemented"), refusal("400 x", "InvalidArgument")]
)
def test_a_server_that_refuses_the_header(moto_server: Moto, aws: Use, answer: s3_servers.Answer) -> None:
    aws(moto_server[0])
    moto_server[1].plan = lambda environ: (
        answer if "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MATCH" in environ else None
    )
    try:
        store = S3Store(f"{ADDRESS}/header-{answer[0][:3]}")
        assert not store.conditional
        assert store.put_if_absent("a", b"1")
        assert not store.put_if_absent("a", b"2")
    finally:
        moto_server[1].plan = None


def test_the_claim_of_a_dead_writer_runs_out_and_a_living_one_is_waited_for(
    rclone_server: str, aws: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws(rclone_server)
    client = boto3.client("s3")
    client.put_object(Bucket=s3_servers.BUCKET, Key="dead/.lock/0", Body=b"")
    monkeypatch.setattr(claims, "PATIENCE", 0.5)
    with pytest.raises(RegistryError, match="its lock was not free"):
        registry.open_store(f"{ADDRESS}/dead").put_if_absent("a", b"1")
    monkeypatch.setattr(claims, "PATIENCE", 30.0)
    monkeypatch.setattr(claims, "LEASE", 1.5)
    assert registry.open_store(f"{ADDRESS}/dead").put_if_absent("a", b"1")


def test_a_lock_held_beyond_its_lease_is_told(rclone_server: str, aws: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(rclone_server)
    lock = claims.Claims(boto3.client("s3"), "s3://x", s3_servers.BUCKET, "long/.lock/")
    with pytest.raises(RegistryError, match="took longer than the lock"), lock.held():
        monkeypatch.setattr(claims, "LEASE", 0.0)


def test_whoever_is_alone_asks_three_times(rclone_server: str, aws: Use) -> None:
    aws(rclone_server)
    client, asked = boto3.client("s3"), []
    client.meta.events.register("before-send.s3", lambda request, **_: asked.append(request.method))
    with claims.Claims(client, "s3://x", s3_servers.BUCKET, "alone/.lock/").held():
        pass
    assert asked == ["PUT", "GET", "DELETE"]


def test_of_many_one_holds_the_lock_at_a_time(rclone_server: str, aws: Use) -> None:
    """Each reads a number, waits, and writes the next: two at once would lose one."""
    aws(rclone_server)
    count, prefix = [0], "many/.lock/"

    def once(_number: int) -> None:
        with claims.Claims(boto3.session.Session().client("s3"), "s3://x", s3_servers.BUCKET, prefix).held():
            seen = count[0]
            time.sleep(0.01)
            count[0] = seen + 1

    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(once, range(12)))) == 12
    assert count == [12]
    assert boto3.client("s3").list_objects_v2(Bucket=s3_servers.BUCKET, Prefix=prefix).get("Contents", []) == []


@pytest.mark.parametrize("held_up", ["choosing", "waiting"])
def test_a_writer_that_was_held_up_begins_anew(
    rclone_server: str, aws: Use, monkeypatch: pytest.MonkeyPatch, held_up: str
) -> None:
    """A machine that slept: what it wrote before may have been passed over, so it takes a later place."""
    aws(rclone_server)
    prefix, client, tickets = f"{held_up}/.lock/", boto3.client("s3"), []
    client.put_object(Bucket=s3_servers.BUCKET, Key=f"{prefix}ticket-000000000001-other", Body=b"")
    lock, slept = claims.Claims(client, "s3://x", s3_servers.BUCKET, prefix), [0.0]
    write, living = lock._write, lock._living
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + slept[0], sleep=time.sleep)
    monkeypatch.setattr(claims, "time", clock)

    def written(name: str) -> claims.Claim:
        claim = write(name)
        tickets.extend([name] * name.startswith("ticket-"))
        if held_up == "choosing":
            slept[0] = claims.LEASE * bool(tickets)
        return claim

    def looked() -> set[str]:
        if held_up == "waiting":
            slept[0] = claims.LEASE * bool(tickets)
        if len(tickets) == 2:
            client.delete_object(Bucket=s3_servers.BUCKET, Key=f"{prefix}ticket-000000000001-other")
        return living()

    monkeypatch.setattr(lock, "_write", written)
    monkeypatch.setattr(lock, "_living", looked)
    with lock.held():
        assert [name.split("-")[1] for name in tickets] == ["000000000002", "000000000002"]
        assert tickets[0] != tickets[1]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(LARGE + 3 * 2**20 + 1))
    return path


def test_a_large_file_goes_up_in_parts_and_comes_down_whole(root: str, large: Path) -> None:
    store = registry.open_store(root)
    assert store.put_if_absent("blob", large)
    assert not store.put_if_absent("blob", large)
    assert hashlib.sha256(store.get("blob")).digest() == hashlib.sha256(large.read_bytes()).digest()


@pytest.mark.parametrize("server", ["moto_server", "rclone_server"])
def test_an_upload_that_was_cut_off_goes_on(
    request: pytest.FixtureRequest, aws: Use, large: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = request.getfixturevalue(server)
    aws(found if isinstance(found, str) else found[0])
    client = boto3.client("s3")
    first = multipart.Upload(client, s3_servers.BUCKET, "cut/blob", large)
    real, sent = first._send, []

    def killed_at_the_third(number: int) -> str:
        if number == 3:
            raise KeyboardInterrupt
        sent.append(number)
        return real(number)

    monkeypatch.setattr(first, "_send", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        first.send()
    second = multipart.Upload(client, s3_servers.BUCKET, "cut/blob", large)
    second.send()
    assert (sorted(sent), second.sent) == ([1, 2], 1)
    with large.open("r+b") as stream:
        stream.write(b"changed")  # another file: what was sent is of no use to it
    third = multipart.Upload(client, s3_servers.BUCKET, "cut/blob", large)
    third.send()
    assert third.sent == 3
    third.complete()
    assert registry.open_store(f"{ADDRESS}/cut").get("blob") == large.read_bytes()


def test_throttling_and_faults_of_the_server_are_waited_out(
    moto_server: Moto, aws: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws(moto_server[0])
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    store = registry.open_store(f"{ADDRESS}/busy")
    assert store.put_if_absent("warm", b"")
    for answer in (
        refusal("503 Slow Down", "SlowDown"),
        refusal("500 Internal", "InternalError"),
        refusal("502 Bad", ""),
    ):
        moto_server[1].plan = fail_times(2, answer, "PUT")
        assert store.put_if_absent(f"after-{answer[0][:3]}", b"1")
    status, headers, body = refusal("503 Slow Down", "SlowDown")
    summed = (status, [*headers, ("x-amz-checksum-crc32", "AAAAAA==")], body)  # as rclone answers while a key is replaced
    moto_server[1].plan = fail_times(2, summed, "GET")
    assert store.get("after-503") == b"1"
    moto_server[1].plan = fail_times(100, refusal("503 Slow Down", "SlowDown"))
    with pytest.raises(RegistryError, match="overloaded or broken, and stayed so"):
        store.get("warm")
    moto_server[1].plan = None


def test_a_write_whose_answer_was_lost_counts(moto_server: Moto, aws: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server wrote, its answer did not arrive, and the second try meets the first's content."""
    aws(moto_server[0])
    application = moto_server[1]
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    store = registry.open_store(f"{ADDRESS}/lost")
    store.put_if_absent("warm", b"")
    lost = []

    def plan(environ: dict[str, Any]) -> s3_servers.Answer | None:
        if environ["REQUEST_METHOD"] == "PUT" and not lost:
            lost.append(list(application.application(environ, lambda *_: None)))
            environ["CONTENT_LENGTH"] = "0"  # it has been read
            return refusal("500 Internal", "InternalError")
        return None

    application.plan = plan
    assert store.put_if_absent("key", b"mine")
    lost.clear()
    assert store.compare_and_swap("key", b"mine", b"next")
    application.plan = None
    assert store.get("key") == b"next"


def test_a_writer_at_the_same_instant_is_waited_for(moto_server: Moto, aws: Use) -> None:
    aws(moto_server[0])
    store = registry.open_store(f"{ADDRESS}/conflict")
    store.put_if_absent("warm", b"")
    moto_server[1].plan = fail_times(2, refusal("409 Conflict", "ConditionalRequestConflict"), "PUT")
    assert store.put_if_absent("key", b"1")
    moto_server[1].plan = None


def test_a_download_that_breaks_off_goes_on(moto_server: Moto, aws: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(moto_server[0])
    monkeypatch.setattr("registry.s3.time.sleep", lambda _: None)
    store = registry.open_store(f"{ADDRESS}/broken")
    content = os.urandom(3_000_000)
    store.put_if_absent("blob", content)
    ranges = []

    def plan(environ: dict[str, Any]) -> s3_servers.Answer | None:
        if environ["REQUEST_METHOD"] != "GET" or "list-type" in environ.get("QUERY_STRING", ""):
            return None
        ranges.append(environ.get("HTTP_RANGE", ""))
        if len(ranges) > 1:
            return None
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return "200 OK", [("Content-Length", str(len(content))), ("ETag", f'"{etag}"')], content[:1_500_000]

    moto_server[1].plan = plan
    assert store.get("blob") == content
    moto_server[1].plan = None
    assert ranges[0] == ""
    assert ranges[1].startswith("bytes=1")


@pytest.mark.parametrize(
    ("answer", "problem", "allowed"),
    [
        (refusal("404 x", "NoSuchBucket"), "no such bucket", "make it first"),
        (refusal("403 x", "InvalidAccessKeyId"), "does not know this access key", "AWS_ACCESS_KEY_ID"),
        (refusal("403 x", "SignatureDoesNotMatch"), "secret key is not this access key's", "AWS_SECRET_ACCESS_KEY"),
        (refusal("403 x", "AccessDenied"), "may not do that", "list, get, put and delete"),
        (refusal("400 x", "ExpiredToken"), "session token", "AWS_SESSION_TOKEN"),
        (refusal("403 x", "RequestTimeTooSkewed"), "clock is not the server's", "15 minutes"),
        (refusal("400 x", "IllegalLocationConstraintException"), "another region", "AWS_DEFAULT_REGION=REGION"),
        (refusal("400 x", "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"), "region", ": eu-west-1"),
        (refusal("507 x", "XMinioStorageFull"), "no space left", "room for the files"),
        (refusal("413 x", "EntityTooLarge"), "no file this large", "higher limit"),
        (refusal("418 x", "Teapot"), "refused ListObjectsV2 (Teapot: said the server)", "speaks S3"),
    ],
)
def test_answers_in_words(moto_server: Moto, aws: Use, answer: s3_servers.Answer, problem: str, allowed: str) -> None:
    aws(moto_server[0])
    moto_server[1].plan = lambda _: answer
    try:
        with pytest.raises(RegistryError) as caught:
            registry.open_store(f"{ADDRESS}/words").put_if_absent("key", b"x")
    finally:
        moto_server[1].plan = None
    assert problem in caught.value.problem
    assert allowed in caught.value.allowed
    assert caught.value.place == f"{ADDRESS}/words"


def test_what_is_really_wrong(rclone_server: str, aws: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that checks: other keys, another bucket, another port, no address at all."""
    aws(rclone_server)

    def problem(root: str = f"{ADDRESS}/x") -> str:
        with pytest.raises(RegistryError) as caught:
            registry.open_store(root).list("")
        return caught.value.problem

    assert "no such bucket" in problem("s3://no-such-bucket/x")
    assert "no name of a bucket" in problem("s3://a b/x")
    assert "no name of a bucket" in problem("s3:///x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert "secret key is not this access key's" in problem()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SOMEBODYELSE")
    assert "does not know this access key" in problem()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "no credentials" in problem()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "no such profile" in problem()


def test_the_region_is_named_where_it_is_told_to_be(moto_server: Moto, aws: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 reads no AWS_REGION: whoever set that was not helped."""
    aws(moto_server[0])
    moto_server[1].plan = lambda _: refusal("400 x", "IllegalLocationConstraintException")
    try:
        with pytest.raises(RegistryError) as caught:
            registry.open_store(f"{ADDRESS}/words").list("")
    finally:
        moto_server[1].plan = None
    monkeypatch.setenv(caught.value.allowed.partition("=")[0], "eu-central-1")
    assert s3_client.opened(ADDRESS).meta.region_name == "eu-central-1"


def test_nobody_there(aws: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    aws("http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RegistryError, match="cannot be reached"):
        registry.open_store(f"{ADDRESS}/x").get("key")
    aws("nonsense")
    with pytest.raises(RegistryError, match="AWS settings cannot be used"):
        registry.open_store(f"{ADDRESS}/x")
