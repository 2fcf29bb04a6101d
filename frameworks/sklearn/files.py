"""Networks on disk: their arrays as .npz without pickles, and what is no array as JSON beside it."""

import json
from pathlib import Path
from typing import Any

from pianissimo import archive

from frameworks import FrameworkError
from frameworks.sklearn.classifier import Classifier
from frameworks.sklearn.projector import Projector

ARRAYS, FACTS = "network.npz", "network.json"
KINDS: dict[str, Any] = {kind.KIND: kind for kind in (Projector, Classifier)}


def save(network: Any, folder: Path) -> None:
    """Writes `network` into `folder`, made when absent: the same bytes for the same network."""
    folder.mkdir(parents=True, exist_ok=True)
    facts, arrays = network.state()
    archive.write(folder / ARRAYS, arrays)
    text = json.dumps({"kind": network.KIND, **facts}, indent=2, sort_keys=True)
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> Any:
    """The network in `folder`. Raises FileNotFoundError that names the folder, FrameworkError for a kind it does not know."""
    if not (folder / FACTS).is_file():
        raise FileNotFoundError(f"{folder}: no {FACTS} here; run the stage before this one")
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    kind = facts.pop("kind", None)
    if kind not in KINDS:
        raise FrameworkError(f"{folder / FACTS}: no kind {kind!r}; there is: {', '.join(KINDS)}")
    return KINDS[kind].restored(facts, archive.read(folder / ARRAYS))
