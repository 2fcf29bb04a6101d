"""`python -m flows.carry` brings what a stage needs from the DVC remote, and takes there what it made.

`dvc pull` and `dvc push` carry whole models, and the run cache from end to end each time. Here a stage that stands as it was
brings nothing, only runs that the other side lacks are copied, and a run is named there after its files are: a worker that
is lost between the two leaves nothing that another one would trip over.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from dvc.config import NoRemoteError
from dvc.data_cloud import DataCloud
from dvc.exceptions import DvcException
from dvc.fs import generic
from dvc.output import Output
from dvc.repo import Repo, lock_repo
from dvc.stage import Stage
from dvc.stage.cache import RunCacheNotFoundError
from dvc_data.hashfile.transfer import TransferResult

from flows import locks
from flows.stale import BROUGHT, CODE
from tasks import brought

NO_REMOTE = (
    "no DVC remote is set, and many machines need one that all of them reach: dvc remote add -d storage s3://BUCKET/PREFIX"
    " (a server of your own: dvc remote modify storage endpointurl URL), and commit .dvc/config"
)
REFUSED = "{place} refuses these credentials ({error}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"


class CarryError(RuntimeError):
    """Something did not arrive."""


class Counted(DataCloud):  # type: ignore[misc]  # DVC is not typed
    """DVC's transfers, counted: files, bytes and seconds each way."""

    def __init__(self, repo: Repo) -> None:
        super().__init__(repo)
        self.moved = {"brought": [0, 0, 0.0], "took": [0, 0, 0.0]}

    def transfer(self, src_odb: Any, dest_odb: Any, objs: Iterable[Any], **options: Any) -> TransferResult:
        """As DVC does it."""
        here, started = self.repo.cache.local, time.monotonic()
        result: TransferResult = super().transfer(src_odb, dest_odb, objs, **options)
        sizes = [Path(here.oid_to_path(one.value)).stat().st_size for one in result.transferred]
        way = self.moved["brought" if dest_odb is here else "took"]
        way[:] = [way[0] + len(sizes), way[1] + sum(sizes), way[2] + time.monotonic() - started]
        return result


def main(arguments: list[str] | None = None) -> int:
    """0 when all arrived; 1 when something did not, or may not; says what was carried."""
    parser = argparse.ArgumentParser(prog="python -m flows.carry", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, act in VERBS.items():
        one = verbs.add_parser(verb, help=act.__doc__)
        one.add_argument("target", nargs="*")
        for option in ("--given", "--answer"):
            one.add_argument(option, type=Path, help="a JSON file of dvc.lock's entries")
        one.add_argument("--push", default="", help="a stage that was made")
        one.add_argument("--force", action="store_true", help="bring what the stages read, even if they stand")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        with Repo() as repo, lock_repo(repo):
            repo.cloud = Counted(repo)
            place = repo.cloud.get_remote().fs.unstrip_protocol(repo.cloud.get_remote().path)
            VERBS[options.verb](repo, options)
            told = [f"{way} {files} files, {size} bytes in {seconds:.1f} s"
                    for way, (files, size, seconds) in repo.cloud.moved.items() if files]  # fmt: skip
    except NoRemoteError:
        print(NO_REMOTE, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(REFUSED.format(place=place, error=error), file=sys.stderr)
        return 1
    except (CarryError, DvcException, BotoCoreError, ClientError) as error:
        print(f"{place}: {error}", file=sys.stderr)
        return 1
    print("; ".join([*told, f"{time.monotonic() - started:.1f} s in all"]))
    return 0


def plan(repo: Repo, options: argparse.Namespace) -> None:
    """answers which entries of dvc.lock stand, once all that they name is on the remote"""
    entries, remote = locks.read(), repo.cloud.get_remote_odb()
    targets = [*([CODE] if CODE in entries else []), *options.target]
    standing = [stage for stage in _stages(repo, targets) if not _is_stale(repo, stage)]
    _push(repo, [stage for stage in standing if stage.outs_cached()])
    wanted = {out.hash_info.value for stage in standing for out in stage.outs}
    there = set(remote.oids_exist(sorted(wanted)))
    held = [stage.addressing for stage in standing if all(out.hash_info.value in there for out in stage.outs)]
    _push_runs(repo)
    options.answer.write_text(json.dumps({name: entries[name] for name in held}), encoding="utf-8")


def begin(repo: Repo, options: argparse.Namespace) -> None:
    """makes this clone's dvc.lock say of the targets what is given, and its folders nothing else"""
    given = json.loads(options.given.read_text(encoding="utf-8"))
    locks.merge({target: given.get(target) for target in options.target})
    stages = _stages(repo, options.target)
    for out in (out for stage in stages for out in stage.outs):
        if out.exists and out.workspace_status():
            out.remove()  # of an earlier errand, or half made by one that was killed
    brought.write(Path("artifacts", BROUGHT), Path("params.yaml"))  # networks from elsewhere are this machine's own to find
    _pull_records(repo, stages)
    _pull_runs(repo)


def step(repo: Repo, options: argparse.Namespace) -> None:
    """takes away what one stage made, and brings what the next ones need: their files, or all they would make"""
    if options.push:
        _push(repo, _stages(repo, [options.push]))
        _push_runs(repo)
    for stage in _stages(repo, options.target):
        if not (options.force or _is_stale(repo, stage)):
            continue
        _pull(repo, [dep for dep in stage.deps if not dep.exists])
        if not options.force:
            with suppress(RunCacheNotFoundError):  # then DVC runs it
                repo.stage_cache.restore(stage, pull=True)


def take(repo: Repo, options: argparse.Namespace) -> None:
    """writes the given entries of the targets into dvc.lock, and brings the records they name"""
    given = json.loads(options.given.read_text(encoding="utf-8"))
    locks.merge({target: given[target] for target in options.target if target in given})
    _pull_records(repo, _stages(repo, [target for target in options.target if target in given]))


def own(repo: Repo, options: argparse.Namespace) -> None:
    """answers the entries that dvc.lock has of the targets"""
    entries = locks.read(Path(repo.root_dir, locks.LOCK))
    found = {target: entries[target] for target in options.target if target in entries}
    options.answer.write_text(json.dumps(found), encoding="utf-8")


VERBS = {"plan": plan, "begin": begin, "step": step, "take": take, "own": own}


def _stages(repo: Repo, targets: Iterable[str]) -> list[Stage]:
    return [stage for target in targets for stage in repo.stage.collect(target)]


def _is_stale(repo: Repo, stage: Stage) -> bool:
    """Whether DVC would run the stage, if all that dvc.lock names were here. What is here counts as it is."""
    never = not all(out.hash_info for out in stage.outs)
    return never or stage.changed(allow_missing=True) or any(
        not dep.exists and dep.hash_info != _made(repo, dep) for dep in stage.deps
    )  # fmt: skip


def _made(repo: Repo, dep: Output) -> Any:
    """What the stage that makes a dependency made last, as dvc.lock has it; also for one file of a folder."""
    (out,) = repo.find_outs_by_path(dep.fs_path, strict=False)
    if out.fs_path == dep.fs_path:
        return out.hash_info
    part = out.get_obj(filter_info=dep.fs_path) if out.get_dir_cache() else None
    return part and part.hash_info


def _pull(repo: Repo, wanted: list[Any]) -> None:
    """Brings outputs or dependencies, parts of a folder too, into cache and workspace."""
    objects = set()
    for one in wanted:
        (out,) = repo.find_outs_by_path(one.fs_path, strict=False)
        within = {} if out.fs_path == one.fs_path else {"filter_info": one.fs_path}
        objects |= out.get_used_objs(**within).get(None, set())
    if wanted:
        _arrived(repo.cloud.pull(objects))
        repo.checkout([one.def_path for one in wanted], force=True)


def _push(repo: Repo, stages: list[Stage]) -> None:
    objects = {one for stage in stages for one in stage.get_used_objs().get(None, set())}
    _arrived(repo.cloud.push(objects))


def _arrived(result: TransferResult) -> None:
    if result.failed:
        raise CarryError(f"{len(result.failed)} of {len(result.failed) + len(result.transferred)} files did not arrive")


def _pull_records(repo: Repo, stages: list[Stage]) -> None:
    """What flows read of stages that stand: their files, not their folders."""
    outs = [out for stage in stages for out in stage.outs if out.hash_info and not out.is_dir_checksum]
    _pull(repo, [out for out in outs if not out.exists])


def _pull_runs(repo: Repo) -> None:
    _copy_runs(repo.cloud.get_remote_odb(hash_name="md5-dos2unix"), repo.cache.legacy)


def _push_runs(repo: Repo) -> None:
    _copy_runs(repo.cache.legacy, repo.cloud.get_remote_odb(hash_name="md5-dos2unix"))


def _copy_runs(source: Any, dest: Any) -> None:
    """What DVC remembers of runs, as far as the other side lacks it: each is a small file named by its content."""
    there = _runs(dest)
    for name in sorted(_runs(source) - there):
        parts = name.split("/")
        generic.copy(source.fs, source.fs.join(source.path, *parts), dest.fs, dest.fs.join(dest.path, *parts))


def _runs(odb: Any) -> set[str]:
    """Paths of the runs on one side, with slashes, from the side's root."""
    root = odb.fs.join(odb.path, "runs")
    found = odb.fs.find(root) if odb.fs.exists(root) else []
    return {"/".join(odb.fs.relparts(one, odb.path)) for one in found}


if __name__ == "__main__":
    sys.exit(main())
