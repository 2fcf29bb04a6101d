"""Composers by the label of their style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from corpora.generated_music.score import Commission, Piece
from corpora.generated_music.styles import classical, electronic, jazz, rock

COMPOSERS: Mapping[str, Callable[[Commission], Piece]] = MappingProxyType(
    {
        "classical": classical.compose,
        "electronic": electronic.compose,
        "jazz": jazz.compose,
        "rock": rock.compose,
    }
)
