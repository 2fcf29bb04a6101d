"""`python -m flows.pools TYPE` makes the pool of the models for workers of that type, or brings it up to date.

With `--print` it only shows the template, for `prefect work-pool create --base-job-template`.
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any

from flows import pools


def main(arguments: list[str] | None = None) -> int:
    """0 when the pool is there; 2 when it cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m flows.pools", description=__doc__)
    parser.add_argument("type", help=f"of: {', '.join(pools.types())}")
    parser.add_argument("--image", help="the worker's image, in place of the file's (docker, kubernetes, ecs)")
    parser.add_argument("--print", action="store_true", dest="shown", help="show the template and do nothing")
    options = parser.parse_args(arguments)
    try:
        made = pools.template(options.type)
        _set(made, options)
    except pools.PoolError as error:
        print(error, file=sys.stderr)
        return 2
    if options.shown:
        print(json.dumps(made, indent=2))
        return 0
    if not os.environ.get("PREFECT_API_URL"):
        print("PREFECT_API_URL names no server; say http://HOST:4200/api", file=sys.stderr)
        return 2
    print(asyncio.run(_put(options.type, made)))
    return 0


def _set(made: dict[str, Any], options: argparse.Namespace) -> None:
    if options.image:
        if "image" not in made["variables"]["properties"]:
            raise pools.PoolError(f"a {options.type} worker runs no image; it stands in a clone")
        made["variables"]["properties"]["image"]["default"] = options.image


async def _put(kind: str, made: dict[str, Any]) -> str:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
    from prefect.exceptions import ObjectAlreadyExists

    async with get_client() as client:
        try:
            await client.create_work_pool(WorkPoolCreate(name=pools.NAME, type=kind, base_job_template=made))
        except ObjectAlreadyExists:
            there = await client.read_work_pool(pools.NAME)
            if there.type != kind:
                return f"{pools.NAME} is there, for {there.type} workers; prefect work-pool delete {pools.NAME} makes room"
            await client.update_work_pool(pools.NAME, WorkPoolUpdate(base_job_template=made))
    return f"{pools.NAME}: for {kind} workers"


if __name__ == "__main__":
    sys.exit(main())
