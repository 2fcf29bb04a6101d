"""Long recordings cut into pieces of one length, each a clip of its own; a stretch that holds nothing is left out."""

import numpy as np

SILENT = 1e-4  # of the power of the loudest piece: 40 dB under it, a piece holds nothing of the recording's label


def cut(audio: np.ndarray, samples: int) -> list[tuple[int, np.ndarray]]:
    """(first sample, piece) of float32 mono `audio` (n,); the last piece may be as short as half of `samples`.

    A recording no longer than one and a half pieces is cut about its centre, as a front end would.
    """
    if len(audio) < 1.5 * samples:
        return [(0, audio)]
    starts = range(0, len(audio) - (samples + 1) // 2 + 1, samples)
    pieces = [(start, audio[start : start + samples]) for start in starts]
    powers = np.array([np.mean(piece.astype(np.float64) ** 2) for _, piece in pieces])
    return [piece for piece, power in zip(pieces, powers, strict=True) if power > SILENT * powers.max()]
