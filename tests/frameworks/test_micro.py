"""What a microcontroller gets: its own kernels' answers, the arena it needs, and C sources that compile."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pianissimo.backends.tflite import TfliteSession

from frameworks.examples import Examples
from frameworks.formats import micro

Made = Callable[..., Path]
COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
LABELS = ("high", 'a "quoted" one', "back\\slash", "größe")
MAIN = """
#include <cstdio>
#include <cstdint>
#include "keywords.h"
alignas(16) static unsigned char arena[KEYWORDS_ARENA_BYTES];
int main() {
  std::fwrite(keywords_model, 1, KEYWORDS_MODEL_BYTES, stdout);
  for (int i = 0; i < KEYWORDS_CLASSES; i++) std::fprintf(stderr, "%s\\n", keywords_labels[i]);
  std::fprintf(stderr, "%zu %d\\n", sizeof(arena), (int)(reinterpret_cast<std::uintptr_t>(keywords_model) % 16));
  std::fprintf(stderr, "%.9g %d %.9g %d\\n", KEYWORDS_INPUT_SCALE, KEYWORDS_INPUT_ZERO_POINT, KEYWORDS_OUTPUT_SCALE,
               KEYWORDS_OUTPUT_ZERO_POINT);
}
"""


def test_its_kernels_answer_as_litert_does(made: Made, examples: Examples, answer: Any) -> None:
    """Reference kernels round a little differently: at most two steps of the output, nearly everywhere."""
    features = examples.validation.features
    apart = np.abs(micro.answers(made("mcu"), features) - answer(made("mcu"), features))
    assert np.mean(apart <= 2 / 256 + 1e-6) >= 0.95


def test_the_arena_is_enough_and_not_much_more(made: Made) -> None:
    needed = micro.arena(made("mcu"))
    assert needed % micro.ALIGN == 0
    assert micro._runs(made("mcu"), needed)
    assert not micro._runs(made("mcu"), needed - 1024)


def test_an_operator_it_does_not_have_is_refused(keras: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    from frameworks.formats.chatter import quiet

    strange = tf.function(lambda x: tf.math.atan2(x, x + 1)).get_concrete_function(tf.TensorSpec((1, 4), tf.float32))
    with quiet():
        content = tf.lite.TFLiteConverter.from_concrete_functions([strange], tf.Module()).convert()
    (tmp_path / "strange.tflite").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"strange\.tflite: TensorFlow Lite Micro does not run it with 16,777,216 bytes"
    ):
        micro.arena(tmp_path / "strange.tflite")


def test_what_convert_left_carries_the_file(made: Made) -> None:
    file = made("mcu")
    source, header = micro.c_sources(file, "keywords", ("high", "low", "noise", "sweep"), micro.arena(file))
    assert file.with_name("keywords.cc").read_text() == source
    assert file.with_name("keywords.h").read_text() == header
    assert f"#define KEYWORDS_MODEL_BYTES {file.stat().st_size}" in header
    assert "CONV_2D" in header


def test_c_sources_compile_and_carry_the_files_bytes(made: Made, tmp_path: Path) -> None:
    if not COMPILER:
        pytest.skip("no C++ compiler here (c++, g++ or clang++)")
    file = made("mcu")
    arena = micro.arena(file)
    source, header = micro.c_sources(file, "keywords", LABELS, arena)
    for name, text in (("keywords.cc", source), ("keywords.h", header), ("main.cc", MAIN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    subprocess.run(
        [COMPILER, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-o", "model", "main.cc", "keywords.cc"],
        cwd=tmp_path,
        check=True,
    )
    done = subprocess.run([tmp_path / "model"], capture_output=True, check=True)
    assert done.stdout == file.read_bytes()
    *labels, sizes, scales = done.stderr.decode().splitlines()
    assert tuple(labels) == LABELS
    assert sizes == f"{arena} 0", "the arena as stated, the array aligned to 16 bytes"
    session = TfliteSession(file, 1)
    told = [float(number) for number in scales.split()]
    expected = [session._input.scale, session._input.zero, session._output.scale, session._output.zero]
    assert told == pytest.approx(expected, rel=1e-6)
    session.close()
