"""Networks on disk: what is loaded is what was saved, and the same network makes the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frameworks.examples import Examples


def test_a_network_comes_back_as_it_was(keras: Any, small: Any, examples: Examples, tmp_path: Path) -> None:
    keras.save(small, tmp_path / "deep/network")
    loaded = keras.load(tmp_path / "deep/network")
    features = examples.validation.features
    assert np.abs(keras.predict(loaded, features) - keras.predict(small, features)).max() <= 1e-6
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in small.layers]
    assert keras.size(loaded) == keras.size(small)


def test_the_same_network_makes_the_same_bytes(keras: Any, small: Any, tmp_path: Path) -> None:
    """`dvc repro` gives the same files by the same commands; a time of day inside would break that."""
    for name in ("one", "two"):
        keras.save(keras.load(tmp_path / "one") if name == "two" else small, tmp_path / name)
    contents = [(tmp_path / name / "network.h5").read_bytes() for name in ("one", "two")]
    assert contents[0] == contents[1]


def test_an_absent_network_is_named_by_its_folder(keras: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere: no network\.h5 here; run the stage before this one"):
        keras.load(tmp_path / "nowhere")


def test_size_counts_what_ships(keras: Any) -> None:
    """A convolution of 3 x 3 over 2 channels into 4, at 5 x 6 places; its normalisation folds into one bias a channel."""
    from tensorflow.keras import Input, Model, layers

    inputs = Input((5, 6, 2))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs))
    x = layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False)(x)
    found = keras.size(Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x))))
    assert found.parameters == 3 * 3 * 2 * 4 + 4 + 3 * 3 * 4 + 4 * 3 + 3
    assert found.macs == 3 * 3 * 2 * 4 * 5 * 6 + 3 * 3 * 4 * 3 * 3 + 4 * 3
    assert found.bytes == 4 * found.parameters


def test_an_unknown_framework_lists_the_known() -> None:
    import frameworks

    with pytest.raises(frameworks.FrameworkError, match="no framework 'tourch'; there is: keras"):
        frameworks.choose("tourch")
