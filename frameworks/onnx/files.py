"""ONNX networks in memory and on disk: one file, and the shape of a typical example beside it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

FILE, ABOUT = "network.onnx", "network.json"


@dataclass(frozen=True)
class Network:
    """`content` is a float32 ONNX file that answers what ships; `shape` is one example's features, of a typical length
    where lengths differ."""

    content: bytes
    shape: tuple[int, ...]

    @contextmanager
    def as_file(self) -> Iterator[Path]:
        """The file, for whoever takes a path; it is gone afterwards."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / FILE
            file.write_bytes(self.content)
            yield file


def save(network: Network, folder: Path) -> None:
    """Writes `network` into `folder`, made when absent."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(network.content)
    (folder / ABOUT).write_text(json.dumps({"shape": network.shape}) + "\n", encoding="utf-8")


def load(folder: Path) -> Network:
    """The network in `folder`. Raises FileNotFoundError that names the folder."""
    if not (folder / FILE).is_file():
        raise FileNotFoundError(f"{folder}: no {FILE} here; run the stage before this one")
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    return Network((folder / FILE).read_bytes(), tuple(about["shape"]))
