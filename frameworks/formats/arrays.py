"""What a plain-array file (`pianissimo.backends.arrays`) really holds: operations, and its weights by data type."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pianissimo import archive
from pianissimo.backends import open_session
from pianissimo.errors import BackendFailedError

PRECISIONS = ("float32", "float16")


@dataclass(frozen=True)
class Audit:
    """`weights` in bytes by data type, and `operators` by name."""

    weights: dict[str, int]
    operators: dict[str, int]

    def problems(self, precision: str, _float_layers: tuple[str, ...] = (), /, *, micro: bool = False) -> list[str]:
        """Why the file is not what `precision` says, in words; none when it is. numpy has no integer kernels worth the
        name, so an int8 file of this kind is refused whatever it holds."""
        found = ["a micro platform takes TFLite files, not arrays"] if micro else []
        if precision not in PRECISIONS:
            return [*found, f"numpy files are {' or '.join(PRECISIONS)}, not {precision}"]
        wrong = {kind: size for kind, size in self.weights.items() if kind != precision}
        found += [f"a {precision} file holds {kind} weights ({size:,} bytes)" for kind, size in sorted(wrong.items())]
        return found + ([f"a {precision} file holds no {precision} weights"] if precision not in self.weights else [])


def audit(file: Path) -> Audit:
    """Reads and checks `file`, its program and every shape. Raises ValueError when the runtime would not run it."""
    try:
        open_session("numpy", file, 1).close()
    except BackendFailedError as error:
        raise ValueError(f"{file}: not a network of plain arrays: {error.reason}") from error
    held = archive.read(file)
    program = held.pop("program")
    steps = json.loads(program.tobytes() if program.dtype.kind == "u" else str(program))
    weights: Counter[str] = Counter()
    for array in held.values():
        weights[array.dtype.name] += array.nbytes
    return Audit(dict(weights), dict(Counter(step["op"] for step in steps if step["op"] != "input")))
