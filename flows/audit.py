"""The registry read again, byte by byte: what is not what its name says is told."""

import asyncio
from typing import Any

from prefect import State, flow
from prefect.states import Completed, Failed

from flows import stale
from flows.stopping import heard
from flows.tool import tool
from frameworks import params


@flow(name="audit", flow_run_name="every byte of the registry", persist_result=False)
async def audit(registry: str = "") -> State[Any]:
    """Reads everything the registry holds and fails with what is wrong in it.

    Args:
        registry: A folder or s3://BUCKET/PREFIX; leave it empty for those that params.yaml publishes to.
    """
    async with heard():
        places = [registry] if registry else await asyncio.to_thread(_published_to)
        faults: list[str] = []
        for place in places:
            ended = await tool(f"audit {place}", "registry", "audit", "--registry", place, return_state=True)  # type: ignore[misc]
            faults += [] if ended.is_completed() else [str(ended.message)]
    if faults:
        return Failed(message="; ".join(faults))
    return Completed(message=f"{', '.join(places)}: everything is whole")


def _published_to() -> list[str]:
    return sorted({params.read("params.yaml", name).publish.registry for name in stale.listed()})
