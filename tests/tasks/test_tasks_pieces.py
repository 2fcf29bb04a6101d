"""Long recordings in pieces: every sample once, a short rest and silence left out."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.pieces import cut

RNG = np.random.default_rng(3)
SOUND = RNG.normal(0, 0.1, 5_000).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "lengths"), [(1_000, [1_000] * 5), (2_000, [2_000, 2_000, 1_000]), (1_900, [1_900, 1_900, 1_200])]
)
def test_pieces_are_the_recording_in_order(samples: int, lengths: list[int]) -> None:
    pieces = cut(SOUND, samples)
    assert [len(piece) for _, piece in pieces] == lengths
    for start, piece in pieces:
        assert np.array_equal(piece, SOUND[start : start + len(piece)])


def test_a_rest_shorter_than_half_a_piece_is_left_out() -> None:
    assert [len(piece) for _, piece in cut(SOUND, 2_200)] == [2_200, 2_200]


def test_a_recording_of_about_one_piece_stays_whole() -> None:
    assert [(start, len(piece)) for start, piece in cut(SOUND[:1_400], 1_000)] == [(0, 1_400)]


def test_a_stretch_40_db_under_the_loudest_holds_nothing() -> None:
    """ESC-50 pads a bark of half a second with zeros up to five."""
    padded = SOUND.copy()
    padded[1_000:] *= 0.005
    padded[3_000:] = 0
    assert [start for start, _ in cut(padded, 1_000)] == [0]


def test_silence_is_not_divided_by() -> None:
    assert cut(np.zeros(5_000, np.float32), 1_000) == []
