"""One model through every stage, in order; rejected by the gate, it fails with the gate's own words."""

from typing import Any

from prefect import State, flow
from prefect.states import Failed

from flows import stale
from flows.stage import stage
from flows.tool import carry
from tasks import report


@flow(name="optimize", flow_run_name="optimize {model}", persist_result=False)
async def optimize(model: str, again_from: str | None = None, remote: bool = False) -> State[Any] | str:
    """Runs every stage of `model` that DVC finds stale, up to publishing what passed; from `again_from` on also those that
    it finds up to date. With `remote`, what a stage needs comes from the DVC remote, and goes there when it is made."""
    again, before = False, ""
    for target in stale.targets(model):
        again = again or target == f"{again_from}@{model}"
        if why := await _made(target, again, remote, before):
            return Failed(message=why)
        before = target
    if remote and (why := await _carried(before, "")):
        return Failed(message=why)
    if not stale.is_published(model):  # DVC finds publish up to date, but the registry was emptied since
        why = await _made(before, True, remote, "")
        if why or (remote and (why := await _carried(before, ""))):
            return Failed(message=why)
    reasons = report.reasons(model)
    if reasons:
        return Failed(message="rejected by the gate: " + "; ".join(reasons))
    return model


async def _made(target: str, force: bool, remote: bool, before: str) -> str:
    """Why one stage failed, or the transfers ahead of it; empty when nothing did."""
    if remote and (why := await _carried(before, target, *["--force"] * force)):
        return why
    ended = await stage(target, force, remote, return_state=True)  # type: ignore[misc]  # typed as if it were not async
    return "" if ended.is_completed() else str(ended.message)


async def _carried(made: str, wanted: str, *options: str) -> str:
    """Takes what one stage made to the DVC remote and brings what the next one needs; answers why it failed."""
    words = [f"push {made}"] * bool(made) + [f"bring {wanted}"] * bool(wanted)
    push = ["--push", made] if made else []
    ended = await carry(", ".join(words), "step", *[wanted] * bool(wanted), *push, *options)
    return "" if ended.is_completed() else str(ended.message)
