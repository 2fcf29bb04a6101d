"""Which layers quantization costs most: how much nearer to float the network answers when just that layer stays float."""

from typing import Any

from . import html, svg
from .html import Mark, Told
from .story import Story

SHOWN = 14
LONGEST = 30  # characters of a layer's name


def chapter(story: Story) -> Told:
    """The layers, the costliest first, and what was tried; nothing where no layer was ranked."""
    record = story.records.get("quantize")
    if record is None or not record.applied:
        return Told(words=html.sentence(f"Skipped: {record.reason}") if record else "")
    layers, attempts = record.facts.get("layers", []), record.facts.get("attempts", [])
    picture = (_drawn(story, layers, attempts),) if layers and attempts else ()
    return Told(picture, _attempts(attempts, str(record.facts.get("why", ""))) if attempts else "")


def _drawn(story: Story, layers: list[dict[str, Any]], attempts: list[dict[str, Any]]) -> str:
    """Bars of how much of the whole distance to float one layer brings; left of 0 are layers that even something out."""
    whole = {one["method"]: one["distance"] for one in attempts if not one["float_layers"]}
    # Keras ranks layers in what the converter rounds, whatever form is kept; ONNX in the kept one.
    apart = whole.get("post_training") or whole.get(story.records["quantize"].facts["method"]) or 1.0
    gains = sorted(((100 * (1 - one["distance_without"] / apart), one) for one in layers), key=lambda pair: -pair[0])
    shown = gains[:SHOWN]
    picture = svg.Drawing(f"{story.model}: layers by sensitivity", 40 + 18 * len(shown))
    across = svg.spanned([0.0, *(gain for gain, _ in shown)], 185, 345, least=1.0)
    picture.across(across, 4, 6 + 18 * len(shown), "% of the distance to float")
    kept = {name for attempt in attempts[-1:] for name in attempt["float_layers"]}
    for n, (gain, one) in enumerate(shown):
        y, (left, right) = 8 + 18 * n, sorted((across.place(0.0), across.place(gain)))
        said = f"{one['layer']}: {gain:.2f} % of the distance, {one['drop_without']:+.2f} points when it alone is float"
        picture.text(178, y + 9, _name(one["layer"]), anchor="end")
        picture.bar(left, y, right - left, 11, "k2" if one["layer"] in kept else "k1", said)
    more = f" {len(layers) - len(shown)} more bring less." if len(layers) > len(shown) else ""
    key = [Mark("k1", "quantized"), Mark("k2", "stays float")]
    words = f"How much nearer to float the network comes when just this layer stays float.{more}"
    return html.figure(picture.svg(), "Layers by sensitivity", words, key)


def _name(layer: str) -> str:
    """The end of a layer's name, where it says what it is: of a fused one, its last part."""
    parts = [part for part in layer.rpartition(";")[2].split("/") if part not in ("", "network")]
    said = [part for part, then in zip(parts, [*parts[1:], ""], strict=True) if not then.startswith(f"{part}.")]
    name = "/".join(said[-3:]) or layer
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def _attempts(attempts: list[dict[str, Any]], why: str) -> str:
    rows = [
        (
            str(one["method"]),
            ", ".join(map(_name, one["float_layers"])) or "none",
            f"{one['score']:.2f}",
            f"{one['drop']:+.2f}",
            f"{one['agreement']:.1f}",
            f"{one['distance']:.3g}",
            f"{one['bytes']:,}",
        )
        for one in attempts
    ]
    heading = ("tried", "layers in float", "validation %", "drop", "answers kept %", "distance", "bytes")
    return html.table(heading, rows, 2) + html.sentence(why)
