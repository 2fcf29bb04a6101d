"""Networks trained elsewhere: taken in where they fit, refused in words where they do not, never unpickled."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from pianissimo.backends import open_session

import models
from frameworks import FrameworkError
from frameworks.examples import Examples, Part
from frameworks.recipe import Distill, Train, Variant

PHONES = ("AA", "B", "CH", "D", "IY")
VOCABULARY = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "IY": 5, "CH": 6, "ZH": 7, "B": 8, "AA": 9, "D": 10}
WAVE = {"kind": "wave", "sample_rate": 16_000}
STRIDE, WINDOW = 320, 400  # samples of wav2vec 2.0's convolutions
CLIPS = (8, 4, 4)  # of train, calibration, validation


@pytest.fixture(scope="module")
def framework() -> Any:
    import frameworks.torch

    frameworks.torch.seed(3)
    return frameworks.torch


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Noise of 0.2 to 0.4 s as a wave, and as 20 bands of 10 ms for the student; two or three phones each."""
    rng = np.random.default_rng(5)

    def part(count: int) -> Part:
        lengths = rng.integers(3_200, 6_400, count)
        waves = [rng.normal(0, 1, length).astype(np.float32) for length in lengths]
        bands = [rng.normal(0, 1, (1 + (length - 400) // 160, 20)).astype(np.float32) for length in lengths]
        labels = np.array([[0, 4, 2 if number % 2 else -1] for number in range(count)], np.int64)
        return Part(bands, labels, waves)

    return Examples(PHONES, "transcribe", "phoneme_error_rate", *(part(count) for count in CLIPS))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """`checkpoint(vocabulary, norm="layer")` is the folder of a small random Wav2Vec2ForCTC, as save_pretrained leaves it."""

    def make(vocabulary: dict[str, Any] = VOCABULARY, norm: str = "layer", **files: dict[str, Any]) -> Path:
        from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

        config = Wav2Vec2Config(
            vocab_size=len(VOCABULARY), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
            conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, feat_extract_norm=norm,
            do_stable_layer_norm=norm == "layer", pad_token_id=0,
        )  # fmt: skip
        folder = tmp_path / f"checkpoint-{norm}"
        torch.manual_seed(1)
        Wav2Vec2ForCTC(config).save_pretrained(folder)
        (folder / "vocab.json").write_text(json.dumps(vocabulary))
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        return folder

    return make


@pytest.fixture
def bring(framework: Any, examples: Examples) -> Callable[..., Any]:
    """`bring(path)` is what `train` makes of `import: path`."""

    def run(path: Path, model: str = "phoneme", **settings: Any) -> Any:
        recipe = Train(**{"import": str(path), "frontend": WAVE, **settings})
        return framework.train(models.load(model), examples, recipe)

    return run


def alone(network: Any, wave: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(wave)[None], torch.tensor([len(wave)]))[0][0].numpy()


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_a_checkpoints_columns_are_put_in_the_corpuss_order(
    checkpoint: Any, bring: Any, framework: Any, examples: Examples, norm: str
) -> None:
    from transformers import Wav2Vec2ForCTC

    folder = checkpoint(norm=norm)
    outcome = bring(folder)
    assert outcome.facts["left_out"] == ["ZH"]
    wave = examples.validation.teacher_features()[0]
    own = Wav2Vec2ForCTC.from_pretrained(folder, local_files_only=True).eval()
    with torch.inference_mode():
        theirs = torch.softmax(own(torch.from_numpy(wave)[None]).logits[0], dim=-1).numpy()
    silent = theirs[:, [0, 1, 2, 3, 4]].sum(axis=1, keepdims=True)
    wanted = np.concatenate([theirs[:, [VOCABULARY[phone] for phone in PHONES]], silent], axis=1)
    wanted /= wanted.sum(axis=1, keepdims=True)
    (given,) = framework.predict(outcome.network, [wave])
    assert given.shape == (1 + (len(wave) - WINDOW) // STRIDE, len(PHONES) + 1)
    np.testing.assert_allclose(given, wanted, atol=1e-5)


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_a_checkpoint_hears_a_clip_alike_alone_and_padded(
    checkpoint: Any, bring: Any, examples: Examples, norm: str
) -> None:
    network = bring(checkpoint(norm=norm)).network
    waves = examples.validation.teacher_features()
    lengths = torch.tensor([len(wave) for wave in waves])
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(wave) for wave in waves], batch_first=True)
    with torch.inference_mode():
        logits, counts = network(padded, lengths)
    for wave, clip, count in zip(waves, logits.numpy(), counts.tolist(), strict=True):
        np.testing.assert_allclose(clip[:count], alone(network, wave), atol=1e-4)


def test_a_checkpoint_goes_all_the_way(
    checkpoint: Any, bring: Any, framework: Any, examples: Examples, tmp_path: Path
) -> None:
    """Saved, loaded, converted, and a teacher for one epoch."""
    network = bring(checkpoint()).network
    framework.save(network, tmp_path / "kept")
    framework.save(network, tmp_path / "again")
    names = sorted(file.name for file in (tmp_path / "kept").iterdir())
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    for name in names:
        assert (tmp_path / "kept" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    loaded = framework.load(tmp_path / "kept")
    waves = examples.validation.teacher_features()
    before = framework.predict(network, waves)
    for one, other in zip(before, framework.predict(loaded, waves), strict=True):
        np.testing.assert_array_equal(one, other)

    file = tmp_path / "float32.onnx"
    framework.convert(loaded, {}, Variant(backend="onnx", precision="float32"), examples.as_heard(), file)
    session = open_session("onnx", file, 1)
    for wave, one in zip(waves, before, strict=True):
        np.testing.assert_allclose(session.run(wave[None])[0], one, atol=1e-5)
    session.close()

    settings = {"width": 16, "kernels": (3,)}
    taught = framework.distill(
        models.load("phoneme"), loaded, examples, Distill(epochs=1, batch_size=4, network=settings)
    )
    assert {row["phase"] for row in taught.curve} == {"distill alone", "distill taught"}
    assert framework.size(loaded).parameters > framework.size(taught.network).parameters


def test_an_unknown_label_is_refused_with_both_sides(checkpoint: Any, bring: Any) -> None:
    vocabulary = {("EH" if name == "CH" else name): place for name, place in VOCABULARY.items()}
    with pytest.raises(FrameworkError) as caught:
        bring(checkpoint(vocabulary))
    assert "CH" in str(caught.value).split("it has:")[0]
    assert "EH" in str(caught.value).split("it has:")[1]


def test_tokens_by_other_names_are_known_from_the_tokenizer(checkpoint: Any, bring: Any) -> None:
    """Many checkpoints of phones write [UNK] and [PAD], and keep <s> in added_tokens.json."""
    renamed = {"<pad>": "[PAD]", "<unk>": "[UNK]"}
    vocabulary = {renamed.get(name, name): place for name, place in VOCABULARY.items() if name != "<s>"}
    folder = checkpoint(vocabulary, tokenizer_config={"unk_token": {"content": "[UNK]"}}, added_tokens={"<s>": 1})
    facts = bring(folder).facts
    assert facts["left_out"] == ["ZH"]
    assert facts["taken_for_blank"] == 4


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "a pickle"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no model.safetensors"),
        (lambda folder: (folder / "vocab.json").unlink(), "has no vocab.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "no JSON"),
        (lambda folder: (folder / "config.json").write_text('{"architectures": ["BertModel"]}'), "BertModel"),
        (lambda folder: (folder / "preprocessor_config.json").write_text('{"sampling_rate": 8000}'), "8000 Hz"),
        (lambda folder: (folder / "preprocessor_config.json").write_text('{"do_normalize": false}'), "do_normalize"),
        (lambda folder: (folder / "vocab.json").write_text('{"en": {"AA": 1}}'), "several languages"),
    ],
)
def test_a_folder_that_cannot_be_taken_says_why(checkpoint: Any, bring: Any, spoil: Any, words: str) -> None:
    folder = checkpoint()
    spoil(folder)
    with pytest.raises(FrameworkError, match=words):
        bring(folder)


def test_a_checkpoint_needs_the_wave(checkpoint: Any, framework: Any, examples: Examples) -> None:
    unheard = replace(
        examples, **{name: replace(getattr(examples, name), heard=None) for name in ("train", "validation")}
    )
    with pytest.raises(FrameworkError, match="kind: wave"):
        framework.train(models.load("phoneme"), unheard, Train(**{"import": str(checkpoint())}))


class Frames(torch.nn.Module):
    """20 ms of samples a frame, straight to logits."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv1d(1, classes, WINDOW, STRIDE)

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        return self.convolution(waves[:, None]).transpose(1, 2)


def exported(file: Path, classes: int = len(PHONES) + 1, batch: int | None = None) -> Path:
    free = {0: torch.export.Dim("clips", max=4_096) if batch is None else None, 1: torch.export.Dim.AUTO}
    torch.manual_seed(2)
    program = torch.export.export(Frames(classes).eval(), (torch.zeros(batch or 2, 4_000),), dynamic_shapes=(free,))
    torch.export.save(program, file)
    return file


@pytest.mark.parametrize("batch", [None, 1])
def test_a_program_answers_as_it_did(
    bring: Any, framework: Any, examples: Examples, tmp_path: Path, batch: int | None
) -> None:
    network = bring(exported(tmp_path / "frames.pt2", batch=batch)).network
    waves = examples.validation.teacher_features()
    torch.manual_seed(2)
    source = Frames(len(PHONES) + 1)
    framework.save(network, tmp_path / "kept")
    loaded = framework.load(tmp_path / "kept")
    file = tmp_path / "float32.onnx"
    framework.convert(loaded, {}, Variant(backend="onnx", precision="float32"), examples.as_heard(), file)
    session = open_session("onnx", file, 1)
    for wave, given in zip(waves, framework.predict(loaded, waves), strict=True):
        with torch.inference_mode():
            wanted = torch.softmax(source(torch.from_numpy(wave)[None])[0], dim=-1).numpy()
        np.testing.assert_allclose(given, wanted, atol=1e-6)
        np.testing.assert_allclose(session.run(wave[None])[0], wanted, atol=1e-5)
    session.close()


def test_a_programs_outputs_must_fit_the_labels(bring: Any, tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match=r"answers 9 values where 5 labels need 6"):
        bring(exported(tmp_path / "frames.pt2", classes=9))


class Evil:
    """What a pickle may be: a call."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("unpickled"),))


def evil() -> bytes:
    stream = io.BytesIO()
    torch.save(Evil(), stream)
    return stream.getvalue()


def repacked(file: Path, change: Callable[[str, bytes], bytes]) -> Path:
    dest = file.with_name("changed.pt2")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(dest, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return dest


@pytest.mark.parametrize(
    "change",
    [
        lambda name, data: data.replace(b'"use_pickle": false', b'"use_pickle": true'),
        lambda name, data: evil() if name.endswith("sample_inputs/model.pt") else data,
    ],
)
def test_a_program_that_holds_a_pickle_is_not_opened(
    bring: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FrameworkError, match="pickle"):
        bring(repacked(exported(tmp_path / "frames.pt2"), change))
    assert not Path("unpickled").exists()


SMALL = {"filters": 8, "channels": 16, "kernels": [3], "width": 16, "layers": 1, "heads": 2}


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(4)
    return models.load("phoneme").teacher((None,), len(PHONES), SMALL).state_dict()  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["teacher.safetensors", "teacher.pt", "teacher.pth"])
def test_weights_of_the_models_own_teacher_are_taken(bring: Any, framework: Any, tmp_path: Path, name: str) -> None:
    file, wanted = tmp_path / name, weights()
    safetensors.torch.save_file(wanted, file) if name.endswith("safetensors") else torch.save(wanted, file)
    network = bring(file, network=SMALL).network
    framework.save(network, tmp_path / "kept")
    for key, value in framework.load(tmp_path / "kept").state_dict().items():
        assert torch.equal(value, wanted[key]), key


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (lambda: {**weights(), "more": torch.zeros(1)}, "it has besides more"),
        (lambda: {key: value for key, value in weights().items() if key != "head.bias"}, "it lacks head.bias"),
        (lambda: {**weights(), "head.bias": torch.zeros(9)}, r"head.bias \(9,\) \(6,\)"),
        (lambda: {"epoch": 3, "state": weights()}, "more than tensors"),
        (lambda: Evil(), "cannot be read as weights"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    bring: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: Any, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(held(), tmp_path / "teacher.pt")
    with pytest.raises(FrameworkError, match=words):
        bring(tmp_path / "teacher.pt", network=SMALL)
    assert not Path("unpickled").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("teacher.onnx", b"", "allowed: a Hugging Face checkpoint folder"),
        ("teacher.pt2", b"no zip", "no exported program"),
        ("teacher.safetensors", b"short", "not a whole safetensors file"),
        ("absent.pt", None, "is not there"),
    ],
)
def test_other_files_are_refused(bring: Any, tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FrameworkError, match=words):
        bring(tmp_path / name)
