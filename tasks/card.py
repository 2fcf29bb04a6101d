"""The model card of a published version: what it is, how well it works and what it was made of, as people and hubs read it.

The format is Hugging Face's: Markdown under YAML whose `model-index` carries the results for programs. It is made from the
manifest alone, so a card can be written again for any version.
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML

from tasks.report import ratio

# A hub's word for each task; it has none for verification, so the tag says it.
PIPELINES = {"classify": "audio-classification", "transcribe": "automatic-speech-recognition"}
TAGS = {"classify": "audio-classification", "transcribe": "phoneme-recognition", "verify": "speaker-verification"}
ANSWERS = {
    "classify": "Answers audio with one of {count} labels: {labels}.",
    "transcribe": "Answers speech with its phonemes, of {count}: {labels}.",
    "verify": "Answers speech with a vector by which a speaker is enrolled and recognised.",
}
HEADING = (
    "platform",
    "form",
    "score %",
    "drop, points (95 % interval)",
    "bytes",
    "smaller",
    "median ms",
    "× faster",
    "× float",
    "process MB",
)


def text(manifest: Mapping[str, Any], metric: str) -> str:
    """The card of a published manifest; `metric` is the name of its score (`accuracy`)."""
    front = io.StringIO()
    YAML().dump(_front(manifest, metric), front)
    parts = (_opening(manifest), _use(manifest), _results(manifest, metric), _limits(manifest), _making(manifest))
    return f"---\n{front.getvalue()}---\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def _front(manifest: Mapping[str, Any], metric: str) -> dict[str, Any]:
    task = manifest["task"]
    corpus = manifest["lineage"].get("corpus") or {}
    name = str(corpus.get("name", "unknown"))
    results = [
        {
            "task": {"type": PIPELINES.get(task, TAGS[task]), "name": TAGS[task].replace("-", " ")},
            "dataset": {"type": name.replace(" ", "-"), "name": name, "split": "test"},
            "metrics": [{"type": metric, "value": figures["score"], "name": f"{platform} {form}"}],
        }
        for platform, form, figures in _measured(manifest)
    ]
    known = {"pipeline_tag": PIPELINES[task]} if task in PIPELINES else {}
    return {
        "library_name": "pianissimo",
        **known,
        "tags": ["audio", TAGS[task], *sorted({one["backend"] for one in _variants(manifest)})],
        "metrics": [metric],
        "model-index": [{"name": manifest["model"], "results": results}],
    }


def _variants(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for platform in manifest["platforms"].values():
        yield from platform["variants"]


def _measured(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, platform in manifest["platforms"].items():
        for form, figures in platform["figures"].items():
            yield name, form, figures


def _opening(manifest: Mapping[str, Any]) -> str:
    labels = manifest["labels"]
    words = ANSWERS[manifest["task"]].format(count=len(labels), labels=", ".join(labels))
    made = f"Version {manifest['version']}, published {manifest['created']}."
    return f"# {manifest['model']}\n\n{words}\n{made}"


def _use(manifest: Mapping[str, Any]) -> str:
    platform = next(iter(manifest["platforms"]))
    call = "embed" if manifest["task"] == "verify" else "predict"
    return f"""## Use

```python
import pianissimo as pp

with pp.load("{manifest["model"]}", platform="{platform}", version={manifest["version"]}) as model:
    print(model.{call}(audio, 16_000))  # any rate from 4 to 192 kHz
```

Needs `pianissimo` {manifest["least_runtime"]} or later; platforms: {", ".join(manifest["platforms"])}."""


def _results(manifest: Mapping[str, Any], metric: str) -> str:
    lines = [HEADING, ("---",) * len(HEADING)]
    teachers = set()
    for platform, form, figures in _measured(manifest):
        low, high = figures["drop_interval"]
        teachers.add(f"{figures['teacher_score']:.2f} %")
        lines.append(
            (
                f"`{platform}`",
                form,
                f"{figures['score']:.2f}",
                f"{figures['drop']:+.2f} ({low:+.2f} to {high:+.2f})",
                f"{figures['bytes']:,}",
                f"{figures['smaller']:.0f} %",
                f"{figures['p50_ms']:.3f}",
                f"{figures['faster']:.1f}",
                ratio(figures.get("faster_than_float")),
                f"{figures['memory_mb']:.0f}",
            )
        )
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    words = f"Score is {metric.replace('_', ' ')} on the test split, through the runtime.\n"
    words += (
        f"The float teacher's is {', '.join(sorted(teachers))}; size and speed are against it, one call on one thread."
    )
    return f"## Results\n\n{words}\n\n{table}" + "".join(_decided(manifest))


def _decided(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What each form decides at its own threshold, where its task has one."""
    for platform, form, figures in _measured(manifest):
        if "false_accepts" in figures:
            accepts, rejects = figures["false_accepts"], figures["false_rejects"]
            yield f"\n\n`{platform}` {form} at its own threshold lets in {accepts:.1f} % of strangers and keeps out "
            yield f"{rejects:.1f} % of rightful attempts, before it has adapted to anybody."


def _limits(manifest: Mapping[str, Any]) -> str:
    """What it is not good for, as far as the records know."""
    rejected = manifest.get("rejected") or {}
    lines = [f"- Not published for `{name}`: {'; '.join(reasons)}." for name, reasons in rejected.items()]
    lines.append("- Measured on one corpus; how it does on other recordings has to be measured there.")
    return "## Limits\n\n" + "\n".join(lines)


def _making(manifest: Mapping[str, Any]) -> str:
    lineage = manifest["lineage"]
    corpus, git = lineage.get("corpus") or {}, lineage.get("git") or {}
    dirty = " (with changes that were not committed)" if git.get("dirty") else ""
    lines = [f"- corpus {name}: {value}" for name, value in corpus.items() if not isinstance(value, dict | list)]
    lines.append(f"- commit: {git['commit']}{dirty}" if git else "- commit: not known")
    lines.append(
        "- libraries: " + ", ".join(f"{name} {version}" for name, version in lineage.get("libraries", {}).items())
    )
    return "## Made of\n\n" + "\n".join(lines)
