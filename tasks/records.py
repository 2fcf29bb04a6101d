"""The typed JSON that stages leave behind, and how it is read and written."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "record.json"


class RecordError(ValueError):
    """A record is missing or is not what its stage writes."""


@dataclass(frozen=True)
class Record:
    """What one stage did to one model. Sizes and score are of the network it leaves behind, score in percent on validation;
    they are None where a stage makes no network. `seconds` is the whole process, imports included."""

    stage: str
    model: str
    applied: bool = True
    reason: str = ""
    seconds: float = 0.0
    parameters: int | None = None
    macs: int | None = None
    bytes: int | None = None
    compressed_bytes: int | None = None
    score: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def write(folder: Path, record: Record) -> None:
    """Writes `record` into `folder`."""
    write_json(folder / FILE, asdict(record))


def read(folder: Path) -> Record:
    """The record in `folder`. Raises RecordError that names the stage to run."""
    try:
        return Record(**read_json(folder / FILE))
    except TypeError as error:  # a key more or less than this version writes
        raise RecordError(f"{folder / FILE}: {error}; run the stage that writes it again") from None


def write_json(file: Path, content: Any) -> None:
    """Whole or not at all: a reader never meets half a file. Keys keep their order, floats seven digits."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(json.dumps(_rounded(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(file)


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object. Raises RecordError when there is none."""
    try:
        return parse(file.read_bytes(), str(file))
    except FileNotFoundError:
        raise RecordError(f"{file} is not there; run the stage that writes it") from None


def parse(text: bytes, place: str) -> dict[str, Any]:
    """The JSON object in `text`, which came from `place`. Raises RecordError when it is none."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{place} is not JSON ({error}); run the stage that writes it again") from None
    if not isinstance(content, dict):
        raise RecordError(f"{place} holds a {type(content).__name__}, expected an object")
    return content


def _rounded(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _rounded(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_rounded(value) for value in node]
    return float(f"{node:.7g}") if isinstance(node, float) else node
