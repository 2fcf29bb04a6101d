"""ARPAbet without stress, the 39 phones of CMUdict, and how what espeak-ng says in American English folds into them.

Only the accent en-us is folded. The others say vowels that ARPAbet has no sign for (the o of British "hot", the centring
diphthongs of "near" and "square" without an r), so whatever sign they were given would be wrong for some words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from corpora.errors import CorpusError

PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K", "L",
    "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
STRESS = "ˈˌ"
# espeak-ng 1.52's IPA of en-us. It spells a vowel before r as one sign with it, where ARPAbet has two; its schwas fold
# as CMUdict writes them, and so do the flap of "water" and the glottal stop of "button", which CMUdict writes T.
FOLDING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ɑː": ("AA",), "ɑːɹ": ("AA", "R"), "æ": ("AE",), "ʌ": ("AH",), "ə": ("AH",), "ɐ": ("AH",), "əl": ("AH", "L"),
        "n̩": ("AH", "N"), "ɔː": ("AO",), "ɔ": ("AO",), "ɔːɹ": ("AO", "R"), "oːɹ": ("AO", "R"), "aʊ": ("AW",),
        "aɪ": ("AY",), "aɪə": ("AY", "AH"), "aɪɚ": ("AY", "ER"), "ɛ": ("EH",), "ɛɹ": ("EH", "R"), "ɜː": ("ER",),
        "ɚ": ("ER",), "eɪ": ("EY",), "ɪ": ("IH",), "ᵻ": ("IH",), "ɪɹ": ("IH", "R"), "iː": ("IY",), "i": ("IY",),
        "iə": ("IY", "AH"), "oʊ": ("OW",), "ɔɪ": ("OY",), "ʊ": ("UH",), "ʊɹ": ("UH", "R"), "uː": ("UW",),
        "b": ("B",), "tʃ": ("CH",), "d": ("D",), "ð": ("DH",), "f": ("F",), "ɡ": ("G",), "h": ("HH",), "dʒ": ("JH",),
        "k": ("K",), "l": ("L",), "m": ("M",), "n": ("N",), "ŋ": ("NG",), "p": ("P",), "ɹ": ("R",), "s": ("S",),
        "ʃ": ("SH",), "t": ("T",), "ɾ": ("T",), "ʔ": ("T",), "θ": ("TH",), "v": ("V",), "w": ("W",), "j": ("Y",),
        "z": ("Z",), "ʒ": ("ZH",),
    }
)  # fmt: skip


def fold(spoken: str) -> tuple[str, ...]:
    """ARPAbet of IPA with spaces between its signs; raises CorpusError that names a sign not in `FOLDING`."""
    signs = [sign.strip(STRESS) for sign in spoken.split()]
    unknown = sorted({sign for sign in signs if sign not in FOLDING})
    if unknown:
        raise CorpusError(f"no phone for {', '.join(unknown)}", place=repr(spoken), allowed=" ".join(FOLDING))
    return tuple(phone for sign in signs for phone in FOLDING[sign])
