"""A stream is answered as the clips it is made of, however it is cut into pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pianissimo as pp
import pytest
from pianissimo.resample import Resampler, resample

from tests.runtime import test_frames

Make = Callable[..., Path]
RATE = 16_000
RNG = np.random.default_rng(5)
MEL = {"sample_rate": RATE, "frame": 400, "hop": 160, "fft": 512, "mels": 40, "fmin": 20.0, "fmax": 7600.0}
WORD = {"kind": "log_mel", "seconds": 0.5, **MEL, "mean": -6.0, "deviation": 4.0}
PHRASE = {"kind": "log_mel_sequence", **MEL, "mean": -6.0, "deviation": 4.0}
LABELS = ["a", "b", "c"]
CUTS: dict[str, Callable[[int], int]] = {
    "one by one": lambda at: 1,
    "160": lambda at: 160,
    "1,000": lambda at: 1000,
    "all at once": lambda at: 10**9,
    "any": lambda at: [3, 0, 4001, 17, 160, 1999, 1][at % 7],
}


def sound(seconds: float, rate: int = RATE) -> np.ndarray:
    """Tones that change every 150 ms, in noise, float32 (n,)."""
    rng = np.random.default_rng(3)
    pitch = np.repeat(rng.uniform(150, 3500, int(seconds / 0.15) + 1), int(0.15 * rate))[: int(seconds * rate)]
    return (0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) + rng.normal(0, 0.01, len(pitch))).astype(np.float32)


def pieces(samples: np.ndarray, cut: Callable[[int], int]) -> Iterator[np.ndarray]:
    at, number = 0, 0
    while at < len(samples):
        yield samples[at : at + cut(number)]
        at += cut(number)
        number += 1


def fed(stream: pp.Stream, samples: np.ndarray, cut: Callable[[int], int] = CUTS["160"]) -> list[pp.Prediction]:
    return [answer for piece in pieces(samples, cut) for answer in stream.feed(piece)] + stream.finish()


def said(answers: list[pp.Prediction]) -> list[Any]:
    """What must not depend on the pieces: everything but the time it took."""
    return [(one.label, one.score, one.scores, one.symbols) for one in answers]


@pytest.fixture
def words(assemble: Make) -> pp.Model:
    """A classifier of half a second of log-mel."""
    shape = list(pp.frontend.build(WORD).shape)
    steps = [
        {"op": "input", "shape": shape},
        {"op": "flatten"},
        {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
        {"op": "softmax"},
    ]
    weight = RNG.normal(0, 0.05, (int(np.prod(shape)), 3)).astype(np.float32)
    return pp.open_folder(assemble(WORD, steps, {"w": weight, "b": np.zeros(3, np.float32)}))


def transcriber(assemble: Make, **more: str) -> Path:
    """A transcriber of which each frame hears itself alone, as a folder."""
    steps = [
        {"op": "input", "shape": [None, 40]},
        {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
        {"op": "softmax"},
    ]
    weight = np.random.default_rng(8).normal(0, 1.5, (40, 4)).astype(np.float32)
    arrays = {"w": weight, "b": np.zeros(4, np.float32)}
    return assemble(PHRASE, steps, arrays, task="transcribe", labels=LABELS, **more)


@pytest.fixture
def phrases(assemble: Make) -> pp.Model:
    return pp.open_folder(transcriber(assemble))


@pytest.fixture
def music(assemble: Make) -> pp.Model:
    return pp.open_folder(assemble(test_frames.SPEC, test_frames.STEPS, test_frames.ARRAYS))


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("cut", [name for name in CUTS if name != "one by one"])
def test_answers_do_not_depend_on_the_pieces(
    words: pp.Model, phrases: pp.Model, music: pp.Model, cut: str, rate: int
) -> None:
    samples = sound(3.3, rate)
    for model in (words, phrases, music):
        expected = said(fed(model.stream(rate), samples))
        assert expected
        assert said(fed(model.stream(rate), samples, CUTS[cut])) == expected


@pytest.mark.parametrize("name", ["words", "phrases", "music"])
def test_sample_by_sample(name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    samples = sound(0.6, 44_100)
    assert said(fed(model.stream(44_100), samples, CUTS["one by one"])) == said(fed(model.stream(44_100), samples))


@pytest.mark.parametrize("every", [None, 0.1, 0.01, 1.2345])
def test_a_window_is_the_clip_that_ends_there(words: pp.Model, every: float | None) -> None:
    samples = sound(2.6)
    stream = words.stream(every=every)
    hop, size = round(stream.every * RATE), round(stream.window * RATE)
    heard = np.concatenate([np.zeros(size, np.float32), samples])
    answers = fed(stream, samples, CUTS["any"])
    assert len(answers) == len(samples) // hop
    for at, answer in enumerate(answers, 1):
        expected = words.predict(heard[at * hop : at * hop + size], RATE)
        assert (answer.label, answer.scores) == (expected.label, expected.scores)
        assert answer.milliseconds > 0


def test_frames_are_those_of_the_frame_classifier(music: pp.Model) -> None:
    samples = test_frames.STREAM.reshape(-1)
    frames = pp.FrameClassifier(music)
    expected = [frames.process_frame(frame).scores for frame in test_frames.STREAM]
    assert [one.scores for one in fed(music.stream(), samples, CUTS["any"])] == expected
    assert [one.scores for one in fed(music.stream(every=0.06), samples, CUTS["any"])] == expected[2::3]
    apart = fed(music.stream(every=0.05), samples)  # no whole frames: computed anew each time
    assert len(apart) == len(samples) // 2400


@pytest.mark.parametrize("every", [0.4, 1.0, 2.0])
def test_a_transcript_is_that_of_the_whole_clip(phrases: pp.Model, every: float) -> None:
    samples = sound(7.7)
    whole = phrases.predict(samples, RATE)
    stream = phrases.stream(every=every)
    assert (stream.every, stream.window) == (pytest.approx(every), pytest.approx(every + 1.5))
    answers = fed(stream, samples, CUTS["any"])
    symbols = [symbol for answer in answers for symbol in answer.symbols]
    assert [one.label for one in symbols] == [one.label for one in whole.symbols]
    assert len(symbols) > 20
    assert len(answers) > 3
    for one, other in zip(symbols, whole.symbols, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)
        # `predict` spreads its frames over the whole clip; the last window's tail has none.
        assert (one.start, one.end) == (pytest.approx(other.start, abs=0.025), pytest.approx(other.end, abs=0.025))
    assert " ".join(answer.label for answer in answers if answer.label) == whole.label


@pytest.mark.parametrize("seconds", [0.02, 0.3, 0.9, 2.0, 2.75, 2.8, 5.0])
def test_short_transcripts(phrases: pp.Model, seconds: float) -> None:
    """Shorter than a window, just as long, and a little longer: nothing is lost, nothing said twice."""
    samples = sound(8)[: round(seconds * RATE)]
    answers = fed(phrases.stream(), samples)
    assert " ".join(answer.label for answer in answers if answer.label) == phrases.predict(samples, RATE).label


@pytest.mark.parametrize("name", ["words", "phrases", "music"])
def test_reset_and_finish_forget(name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    samples = sound(3.1, 44_100)
    stream = model.stream(44_100)
    first = said(fed(stream, samples))
    assert said(fed(stream, samples)) == first  # finish has ended the one before
    stream.feed(samples[:30_000])
    stream.reset()
    assert said(fed(stream, samples)) == first
    assert model.stream(44_100).finish() == []


def test_streams_share_a_model_and_nothing_else(words: pp.Model, phrases: pp.Model, music: pp.Model) -> None:
    """Thirty streams in turn on three models, each as if it were alone; and then each in a thread."""
    samples = [sound(2.2)[at * 311 :] for at in range(10)]
    models = (words, phrases, music)
    alone = {(at, model): said(fed(model.stream(RATE), samples[at])) for at in range(10) for model in models}
    streams = {key: (key[1].stream(RATE), pieces(samples[key[0]], CUTS["1,000"]), []) for key in alone}
    for _ in range(40):
        for stream, left, answers in streams.values():
            answers += stream.feed(next(left, np.zeros(0, np.float32)))
    assert {key: said(answers + stream.finish()) for key, (stream, _, answers) in streams.items()} == alone
    found: dict[Any, Any] = {}

    def run(key: Any) -> None:
        found[key] = said(fed(key[1].stream(RATE), samples[key[0]]))

    threads = [Thread(target=run, args=(key,)) for key in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_int16_is_its_floats(words: pp.Model) -> None:
    samples = np.round(sound(1) * 2**15).astype(np.int16)
    assert said(fed(words.stream(), samples)) == said(fed(words.stream(), samples.astype(np.float32) / 2**15))


def broken(value: float) -> np.ndarray:
    piece = sound(0.1)
    piece[7] = value
    return piece


@pytest.mark.parametrize(
    ("piece", "problem"),
    [
        (broken(np.nan), "the first at 7"),
        (broken(np.inf), "infinite"),
        (sound(0.1) * 30_000, "PCM given as int16"),
        (np.zeros((100, 2), np.float32), r"\(100, 2\); allowed: mono pieces of any length"),
        (np.zeros(100, np.int64), "int64"),
    ],
)
def test_a_piece_that_is_refused_is_not_kept(words: pp.Model, piece: Any, problem: str) -> None:
    stream, undisturbed = words.stream(48_000), words.stream(48_000)
    assert said(stream.feed(sound(0.3, 48_000))) == said(undisturbed.feed(sound(0.3, 48_000)))
    with pytest.raises(pp.AudioError, match=problem):
        stream.feed(piece)
    assert said(stream.feed(sound(0.3, 48_000))) == said(undisturbed.feed(sound(0.3, 48_000)))


def test_what_a_caller_does_with_its_buffer_afterwards_changes_nothing(words: pp.Model) -> None:
    samples, stream = sound(2), words.stream()
    buffer, answers = np.empty(160, np.float32), []
    for piece in pieces(samples, CUTS["160"]):
        buffer[:] = piece
        answers += stream.feed(buffer)
        buffer[:] = 0.7
    assert said(answers) == said(fed(words.stream(), samples))


def test_what_cannot_be(words: pp.Model, phrases: pp.Model) -> None:
    for every in (0, -1, np.nan, 1e9, "1", True):
        with pytest.raises(pp.AudioError, match="every=SECONDS, the seconds between answers"):
            words.stream(every=every)  # type: ignore[arg-type]
    for rate in (100, 1.5, "fast"):
        with pytest.raises(pp.AudioError, match="4,000 to 192,000"):
            words.stream(rate)  # type: ignore[arg-type]
    with pytest.raises(pp.AudioError, match="a stream at 44,101 Hz for a model at 16,000 Hz; allowed: the model's own"):
        words.stream(44_101)
    for every, window in [(0.01, None), (2, 1), (29, 31), (1.0, 1.001)]:
        with pytest.raises(pp.AudioError, match=r"a stream with every=.*allowed: .*window"):
            phrases.stream(every=every, window=window)
    words.close()
    with pytest.raises(pp.BackendFailedError, match="closed"):
        fed(words.stream(), sound(1))


def test_a_front_end_of_any_length_needs_a_window(assemble: Make) -> None:
    from tests.runtime.test_voice_statistics import SPEC

    steps = [
        {"op": "input", "shape": [100]},
        {"op": "dense", "arrays": {"weight": "w", "bias": "b"}},
        {"op": "softmax"},
    ]
    arrays = {"w": RNG.normal(0, 0.01, (100, 3)).astype(np.float32), "b": np.zeros(3, np.float32)}
    model = pp.open_folder(assemble(SPEC, steps, arrays))
    with pytest.raises(pp.AudioError, match="window=SECONDS, the seconds an answer is about"):
        model.stream()
    answers = fed(model.stream(every=0.5, window=1.0), sound(2.5))
    assert answers[-1].scores == model.predict(sound(2.5)[-RATE:], RATE).scores
    verifier = pp.open_folder(assemble(SPEC, [steps[0], {"op": "l2"}], {}, task="verify", labels=[], enrolment={}))
    with pytest.raises(
        pp.TaskError,
        match="the task verify and cannot answer a stream; allowed: a model of the task classify, transcribe",
    ):
        verifier.stream()


@pytest.mark.parametrize(
    ("rate", "target"), [(48_000, 16_000), (44_100, 16_000), (8_000, 16_000), (16_000, 16_000), (22_050, 48_000)]
)
def test_a_resampled_stream_is_the_resampled_clip(rate: int, target: int) -> None:
    samples = sound(1.7, rate)
    resampler = Resampler(rate, target)
    made = np.concatenate([resampler(piece) for piece in pieces(samples, CUTS["any"])] + [resampler.finish()])
    expected = resample(samples, rate, target)
    assert made.shape == expected.shape
    np.testing.assert_allclose(made, expected, atol=1e-6)
