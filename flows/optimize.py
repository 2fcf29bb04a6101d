"""One model through every stage, in order; rejected by the gate, it fails with the gate's own words."""

from typing import Any

from prefect import State, flow
from prefect.states import Failed

from flows import stale
from flows.stage import stage
from tasks import report


@flow(name="optimize", flow_run_name="optimize {model}", persist_result=False)
async def optimize(model: str, again_from: str | None = None) -> State[Any] | str:
    """Runs every stage of `model` that DVC finds stale, up to publishing what passed; from `again_from` on also those that
    it finds up to date."""
    again = False
    for target in stale.targets(model):
        again = again or target == f"{again_from}@{model}"
        ended = await stage(target, force=again, return_state=True)  # type: ignore[misc]  # typed as if it were not async
        if not ended.is_completed():
            return Failed(message=str(ended.message))
    if not stale.is_published(model):  # DVC finds publish up to date, but the registry was emptied since
        ended = await stage(f"publish@{model}", force=True, return_state=True)  # type: ignore[misc]
        if not ended.is_completed():
            return Failed(message=str(ended.message))
    reasons = report.reasons(model)
    if reasons:
        return Failed(message="rejected by the gate: " + "; ".join(reasons))
    return model
