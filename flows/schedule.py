"""`python -m flows.schedule` registers prefect.yaml with the server that PREFECT_API_URL names, for the workers of its pool.

Prefect's own `deploy` asks that server in a way it refuses (a limit of null), so this asks it itself.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefect.runner.storage import LocalStorage

from flows import notices, pools
from flows.environment import HEARTBEAT, HEARTBEAT_SECONDS
from flows.serve import deployment, entries
from flows.standing import COMMIT

HOME = "PIANISSIMO_HOME"  # the clone that each worker stands in (default: this folder)


class Standing(LocalStorage):
    """The clone that a worker's own PIANISSIMO_HOME names, brought to the commit that its errand is for."""

    def to_pull_step(self) -> list[dict[str, Any]]:  # type: ignore[override]  # whoever asks takes a list, too
        """Prefect's steps before a flow is loaded; $NAMES are the worker's own."""
        return [
            {"prefect.deployments.steps.set_working_directory": {"directory": f"{{{{ ${HOME} }}}}"}},
            {"flows.standing.move": {"commit": f"{{{{ ${COMMIT} }}}}"}},
        ]


def main() -> int:
    """Registers every deployment and says so; 2 when no server is named, or notices would go nowhere."""
    if not os.environ.get("PREFECT_API_URL"):
        print(
            "PREFECT_API_URL names no server; say http://HOST:4200/api, or start one here with make serve",
            file=sys.stderr,
        )
        return 2
    try:
        notices.address()
        asyncio.run(_registered(os.environ.get(HOME) or str(Path.cwd())))
    except notices.NoticeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _registered(home: str) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    for entry in entries(Path("prefect.yaml")):
        pool = entry["work_pool"]["name"]
        async with get_client() as client:
            with suppress(ObjectAlreadyExists):  # whatever its type: whoever made it chose it
                own = {"base_job_template": pools.template("process")} if pool == pools.NAME else {}
                await client.create_work_pool(WorkPoolCreate(name=pool, type="process", **own))
        if pool == pools.NAME:  # an errand gives signs of life of its own
            made = await deployment(entry, pool, Standing(home))
        else:
            made = await deployment(entry, pool, LocalStorage(home), {"env": {HEARTBEAT: HEARTBEAT_SECONDS}})
        await made.aapply()
        print(f"{entry['name']}: {entry['entrypoint']} for the workers of {pool} in {home}")
    print("\n".join(await notices.register()))


if __name__ == "__main__":
    sys.exit(main())
