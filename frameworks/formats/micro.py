"""What a microcontroller needs: the arena and the answers of TensorFlow Lite Micro itself, and the model as C sources."""

from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from pianissimo.backends.tflite import Port
from tflite_micro.python.tflite_micro import runtime

from frameworks.formats import tflite as file_format
from frameworks.formats.chatter import quiet

ALIGN = 16  # bytes; what TFLM aligns its arena to
ENOUGH = 16 * 1024 * 1024


def answers(file: Path, features: np.ndarray) -> np.ndarray:
    """Scores (n, classes) float32 as the interpreter for microcontrollers computes them, here on this machine."""
    interpreter = _interpreter(file, ENOUGH)
    into, out = _port(interpreter.get_input_details(0)), _port(interpreter.get_output_details(0))
    shape = interpreter.get_input_details(0)["shape"]
    rows = []
    for example in into.encode(features):
        interpreter.set_input(example.reshape(shape), 0)
        interpreter.invoke()
        rows.append(out.decode(interpreter.get_output(0))[0])
    return np.asarray(rows, np.float32)


def arena(file: Path) -> int:
    """The least tensor arena in bytes with which TFLM loads and runs `file`, found by trying.

    Measured with the reference kernels on 64 bits, where TFLM's own structures take up to twice a 32-bit device's room;
    a vendor's kernels (CMSIS-NN, ESP-NN) may ask for scratch of their own on top.
    Raises ValueError when no arena up to 16 MiB is enough.
    """
    low, high = 0, ENOUGH
    if not _runs(file, high):
        raise ValueError(f"{file}: TensorFlow Lite Micro does not run it with {ENOUGH:,} bytes of arena")
    while high - low > ALIGN:
        middle = (low + high) // 2 // ALIGN * ALIGN
        low, high = (low, middle) if _runs(file, middle) else (middle, high)
    return high


def c_sources(file: Path, name: str, labels: tuple[str, ...], arena_bytes: int) -> tuple[str, str]:
    """(source, header) that carry the model: an aligned array, the arena, the operators to register, scales and labels."""
    interpreter = _interpreter(file, ENOUGH)
    into, out = _port(interpreter.get_input_details(0)), _port(interpreter.get_output_details(0))
    data = file.read_bytes()
    operators = sorted({kind.split()[0] for kind in file_format.audit(file).operators})
    fields: dict[str, Any] = {
        "name": name,
        "upper": name.upper(),
        "size": len(data),
        "arena": arena_bytes,
        "classes": len(labels),
        "operators": ", ".join(operators),
        "operator_count": len(operators),
        "in_scale": f"{into.scale!r}f",
        "in_zero": into.zero,
        "out_scale": f"{out.scale!r}f",
        "out_zero": out.zero,
        "labels": ", ".join(f'"{_escaped(label)}"' for label in labels),
        "bytes": _rows(data),
    }
    return SOURCE.substitute(fields), HEADER.substitute(fields)


def _interpreter(file: Path, arena_bytes: int) -> Any:
    return runtime.Interpreter.from_bytes(file.read_bytes(), arena_size=arena_bytes)


def _runs(file: Path, arena_bytes: int) -> bool:
    """Whether TFLM loads and runs with so much; it says no by a RuntimeError, and on descriptor 2."""
    try:
        with quiet():
            _interpreter(file, arena_bytes).invoke()
    except RuntimeError:
        return False
    return True


def _port(details: dict[str, Any]) -> Port:
    parameters = details["quantization_parameters"]
    return Port(0, np.dtype(details["dtype"]), float(parameters["scales"][0]), int(parameters["zero_points"][0]))


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"')


def _rows(data: bytes) -> str:
    return "\n".join("  " + " ".join(f"0x{byte:02x}," for byte in data[at : at + 16]) for at in range(0, len(data), 16))


SOURCE = Template(
    """\
#include "$name.h"

alignas($upper_ALIGN) const unsigned char ${name}_model[${upper}_MODEL_BYTES] = {
$bytes
};
const char* const ${name}_labels[${upper}_CLASSES] = {$labels};
""".replace("$upper_ALIGN", str(ALIGN))
)

HEADER = Template("""\
// One int8 TFLite model for TensorFlow Lite Micro. Made by pianissimo; do not edit.
#ifndef ${upper}_H_
#define ${upper}_H_

// The least arena that ran with the reference kernels on a 64-bit host; a vendor's kernels may ask for scratch on top.
#define ${upper}_ARENA_BYTES $arena
#define ${upper}_MODEL_BYTES $size
#define ${upper}_CLASSES $classes

// Register these with a MicroMutableOpResolver<$operator_count>: $operators
// real = (int8 - zero point) * scale
#define ${upper}_INPUT_SCALE $in_scale
#define ${upper}_INPUT_ZERO_POINT ($in_zero)
#define ${upper}_OUTPUT_SCALE $out_scale
#define ${upper}_OUTPUT_ZERO_POINT ($out_zero)

extern const unsigned char ${name}_model[${upper}_MODEL_BYTES];
extern const char* const ${name}_labels[${upper}_CLASSES];

#endif  // ${upper}_H_
""")
