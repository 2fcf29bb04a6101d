"""espeak-ng through ctypes: text to speech, text to phonemes, with the library and voices espeakng-loader carries.

espeak-ng keeps its state in global variables. So there is one `Espeak` a process (`open_espeak` returns it), calls
take a lock and may come from any thread, and *what a call sounds like depends a little on the calls before it*
(the flutter of a voice runs on). The same calls in the same order in a fresh process give the same samples.
espeak-ng is GPL-3: it makes data here, and never enters the runtime. API: espeak-ng's speak_lib.h, 1.52.
"""

from __future__ import annotations

import ctypes
import functools
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import espeakng_loader
import numpy as np

from corpora.audio import Audio
from corpora.errors import CorpusError

SYNCHRONOUS, DONT_EXIT = 2, 0x8000
UTF8, CHARACTERS = 1, 1
IPA = 0x02
PARAMETERS = MappingProxyType({"speed": 1, "volume": 2, "pitch": 3, "pitch_range": 4})
LIMITS = MappingProxyType({"speed": (80, 450), "volume": (0, 200), "pitch": (0, 99), "pitch_range": (0, 99)})
LONGEST_PATH = 140  # espeak-ng copies the path of its data into 160 bytes, and adds file names

_opening = threading.Lock()
_Receive = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Entry(ctypes.Structure):
    """espeak_VOICE of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("languages", ctypes.c_char_p), ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte), ("age", ctypes.c_ubyte), ("variant", ctypes.c_ubyte), ("spare", ctypes.c_ubyte),
        ("score", ctypes.c_int), ("reserved", ctypes.c_void_p),
    )  # fmt: skip


@dataclass(frozen=True)
class Speech:
    """How a text is said: voice (a language), variant (a speaker), speed in words a minute, pitch and range 0-99."""

    voice: str = "en-us"
    variant: str | None = None
    speed: int = 175
    pitch: int = 50
    pitch_range: int = 50
    volume: int = 100

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise CorpusError(f"{getattr(self, name)}", place=f"speech.{name}", allowed=f"{low} to {high}")


def open_espeak() -> Espeak:
    """The one espeak-ng of this process, from any thread."""
    with _opening:
        return _open()


@functools.cache
def _open() -> Espeak:
    return Espeak()


class Espeak:
    """The engine; get it from `open_espeak`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: list[bytes] = []
        # ctypes keeps no reference of its own to a callback that C holds.
        self._receive = _Receive(self._collect)
        self._library = _load_library()
        self.rate = self._start()
        self._library.espeak_SetSynthCallback(self._receive)
        self.voices = self._list_voices()
        self.variants = tuple(sorted(self._list(b"variant"), key=str.lower))
        self._current: tuple[str, str | None] | None = None

    def speak(self, text: str, speech: Speech = Speech()) -> Audio:
        """Say a text: float32 (samples,) in -1…1 at `rate` Hz (22,050), with espeak-ng's own pauses around it."""
        content = text.encode()
        with self._lock:
            self._choose(speech)
            self._pieces.clear()
            failed = self._library.espeak_Synth(content, len(content) + 1, 0, CHARACTERS, 0, UTF8, None, None)
            failed = failed or self._library.espeak_Synchronize()
            samples = np.frombuffer(b"".join(self._pieces), dtype="<i2")
        if failed or not samples.any():
            raise CorpusError(
                f"espeak-ng said nothing (code {failed})", place=repr(text), allowed="text with words in it"
            )
        return (samples / np.float32(32_768)).astype(np.float32)

    def phonemes(self, text: str, voice: str = "en-us", separator: str = " ", ipa: bool = True) -> tuple[str, ...]:
        """The phonemes of a text, one string a clause; IPA, or espeak-ng's ASCII names; `separator` between phonemes."""
        if len(separator) > 1:
            raise CorpusError(f"{separator!r}", place="separator", allowed="one character, or none")
        mode = (ord(separator) << 8 if separator else 0) | (IPA if ipa else 0)
        with self._lock:
            self._choose(Speech(voice))
            return tuple(self._clauses(text.encode(), mode))

    def _clauses(self, content: bytes, mode: int) -> Iterator[str]:
        text = ctypes.create_string_buffer(content)
        rest = ctypes.c_void_p(ctypes.addressof(text))
        while rest.value:
            said = self._library.espeak_TextToPhonemes(ctypes.byref(rest), UTF8, mode)
            if said:
                yield said.decode().strip()

    def _choose(self, speech: Speech) -> None:
        if speech.voice not in self.voices:
            known = ", ".join(voice for voice in self.voices if voice.startswith("en"))
            raise CorpusError(f"unknown voice {speech.voice!r}", place="voice", allowed=f"{known} and other languages")
        # espeak-ng itself takes an unknown variant without a word and speaks in the plain voice.
        if speech.variant is not None and speech.variant not in self.variants:
            raise CorpusError(f"unknown variant {speech.variant!r}", place="variant", allowed=", ".join(self.variants))
        if self._current != (speech.voice, speech.variant):
            name = self.voices[speech.voice] + (f"+{speech.variant}" if speech.variant else "")
            if failed := self._library.espeak_SetVoiceByName(name.encode()):
                raise CorpusError(f"espeak-ng refused the voice (code {failed})", place=name)
            self._current = (speech.voice, speech.variant)
        for parameter, number in PARAMETERS.items():
            self._library.espeak_SetParameter(number, getattr(speech, parameter), 0)

    def _collect(self, samples: object, count: int, _events: object) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * count))  # type: ignore[arg-type]
        return 0

    def _list_voices(self) -> dict[str, str]:
        """Voice by language code ("en-gb") to the name of its file ("gmw/en"), which SetVoiceByName always knows."""
        return {language: identifier for identifier, language in self._list(None).items()}

    def _list(self, kind: bytes | None) -> dict[str, str]:
        wanted = ctypes.byref(_Entry(languages=kind)) if kind else None
        entries, found = self._library.espeak_ListVoices(wanted), {}
        for entry in _until_null(entries):
            # `languages` opens with a priority byte; variants are filed under "!v/".
            found[entry.identifier.decode().removeprefix("!v/")] = entry.languages[1:].decode()
        return found

    def _start(self) -> int:
        data = Path(espeakng_loader.get_data_path())
        if len(str(data).encode()) > LONGEST_PATH:
            self._shortcut = tempfile.TemporaryDirectory(prefix="espeak-")
            data = Path(self._shortcut.name) / data.name
            data.symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
        rate = int(self._library.espeak_Initialize(SYNCHRONOUS, 0, str(data).encode(), DONT_EXIT))
        if rate <= 0:
            raise CorpusError(
                "espeak-ng did not start", place=data, allowed="the data folder of espeakng-loader, whole"
            )
        # Else its breath and echo are random by process id.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        return rate


def _until_null(entries: object) -> Iterator[_Entry]:
    index = 0
    while entry := entries[index]:  # type: ignore[index]
        yield entry.contents
        index += 1


def _load_library() -> ctypes.CDLL:
    path = espeakng_loader.get_library_path()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise CorpusError(
            f"espeak-ng does not load: {error}", place=path, allowed="pip install espeakng-loader"
        ) from error
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Entry))
    library.espeak_Synth.argtypes = (
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    )  # fmt: skip
    return library
