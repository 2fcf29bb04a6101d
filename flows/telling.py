"""What a run leaves to read: the page, a table of all models, and the card of each version it published."""

from typing import Any

from pianissimo import layout
from prefect import task
from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact, acreate_table_artifact

import registry
from flows import stale
from tasks import page, records, report

CELLS = ("platform", "form", "verdict", "score %", "drop", "bytes", "median ms", "× faster")
FOLDER = report.ARTIFACTS / "report"


@task(name="report", task_run_name="report", persist_result=False)
async def tell(models: list[str], failures: dict[str, str]) -> str:
    """Writes the page of all models, and shows in Prefect how those of this run ended; answers where the page is."""
    known = [name for name in stale.listed() if (report.ARTIFACTS / name).is_dir() or name in models]
    place = page.write(known, report.ARTIFACTS, FOLDER)
    await acreate_table_artifact(
        rows(models, failures), key="models", description="What became of each model in this run."
    )
    await acreate_link_artifact(place.resolve().as_uri(), link_text="The report of this run", key="report")
    for model in models:
        if model not in failures and (text := _card(model)):
            await acreate_markdown_artifact(
                text, key=f"card-{model.replace('_', '-')}", description=f"What {model} is."
            )
    return str(place)


def rows(models: list[str], failures: dict[str, str]) -> list[dict[str, Any]]:
    """A row a form of each model, with why the model failed; one row where there is no form yet."""
    return [
        {"model": model, **cells, "why": failures.get(model, "")}
        for model in models
        for cells in ([_cells(one) for one in report.artifacts(model)] or [dict.fromkeys(CELLS, "")])
    ]


def _cells(one: report.Artifact) -> dict[str, Any]:
    figures = one.figures
    shown = (
        one.platform,
        one.form,
        "passed" if one.passed else "rejected",
        round(figures["score"], 2),
        round(figures["drop"], 2),
        figures["bytes"],
        round(figures["p50_ms"], 3),
        round(figures["faster"], 1),
    )
    return dict(zip(CELLS, shown, strict=True))


def _card(model: str) -> str:
    """The card of the version that publish left, from the registry; nothing where it left none."""
    folder = report.ARTIFACTS / model / "publish"
    facts = records.read(folder).facts if (folder / records.FILE).is_file() else {}
    if "version" not in facts:
        return ""
    return registry.open_store(facts["registry"]).get(layout.card_key(model, facts["version"])).decode()
