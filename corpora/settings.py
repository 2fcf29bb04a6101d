"""The settings of a generated corpus: a frozen dataclass a corpus, each number within its limits, unknown keys refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, TypeVar

import yaml

from corpora.errors import CorpusError

S = TypeVar("S", bound="Settings")
SEED = (0, 2**31 - 1)


@dataclass(frozen=True)
class Settings:
    """What a corpus is made by; a subclass adds its fields, and its class says where they stand and how far they go.

    `SECTION` is the place in params.yaml ("corpora.NAME"), `LIMITS` the least and most of each field, `ORDER` pairs of
    fields of which the first may not be above the second.
    """

    SECTION: ClassVar[str]
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]]
    ORDER: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __post_init__(self) -> None:
        """Refuses what is out of its limits."""
        for field in fields(self):
            self._check(field.name, whole=field.type in ("int", int))
        for low, high in self.ORDER:
            if getattr(self, low) > getattr(self, high):
                most = f"at most {getattr(self, high)}"
                raise CorpusError(f"above {high}", place=f"{self.SECTION}.{low}", allowed=most)

    @classmethod
    def of(cls: type[S], section: Mapping[str, object]) -> S:
        """Settings from a mapping; raises CorpusError for a key not known, naming those that are."""
        known = [field.name for field in fields(cls)]
        unknown = [str(key) for key in section if key not in known]
        if unknown:
            raise CorpusError(f"unknown key {', '.join(unknown)}", place=cls.SECTION, allowed=", ".join(known))
        return cls(**section)

    @classmethod
    def read(cls: type[S], params: Path) -> S:
        """Settings from the section of a params.yaml."""
        try:
            section = yaml.safe_load(params.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CorpusError(f"not readable: {error}", place=params, allowed="a YAML file") from error
        for key in cls.SECTION.split("."):
            section = section.get(key) if isinstance(section, dict) else None
        if not isinstance(section, dict):
            raise CorpusError(f"no section {cls.SECTION}", place=params, allowed=f"a mapping under {cls.SECTION}")
        return cls.of(section)

    def _check(self, key: str, *, whole: bool) -> None:
        value = getattr(self, key)
        low, high = self.LIMITS[key]
        kinds = int if whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
            number = "a whole number" if whole else "a number"
            raise CorpusError(f"{value!r}", place=f"{self.SECTION}.{key}", allowed=f"{number} from {low:g} to {high:g}")
