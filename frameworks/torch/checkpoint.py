"""A Hugging Face checkpoint of wav2vec 2.0 with a CTC head as a network of ours: read offline, its columns put in our order.

Its vocabulary is matched to the corpus's labels by name. A label it does not know is a refusal. What it knows besides is
of two kinds: special tokens (start, end, unknown, word boundary, numbers without a name) say that no phone is heard, so their
probability is added to blank's; other symbols are sounds that this corpus does not have, so they are left out and the rest
adds up to one again.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Module

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a stage never asks a hub; must be set before transformers is imported

from frameworks import FrameworkError
from frameworks.recipe import Train

ARCHITECTURE = "Wav2Vec2ForCTC"
CONFIG, VOCABULARY, WEIGHTS, SPEC = "config.json", "vocab.json", "model.safetensors", "network.json"
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "word_delimiter_token": "|"}


class Checkpoint(Module):
    """`network` answers as transformers does; here a column a label, and blank last. `mute` are columns that mean blank."""

    def __init__(self, network: Any, columns: list[int], mute: list[int]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.register_buffer("mute", torch.tensor(mute), persistent=False)
        # Group normalisation runs over time, so what pads a clip would be part of its statistics.
        self.alone = network.config.feat_extract_norm == "group"

    def forward(self, waves: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(n, samples) to logits (n, frames, labels + 1) and how many frames of each clip are no padding."""
        count = self.network._get_feat_extract_output_lengths(lengths)
        whole = waves.shape[1]
        if int(lengths.min()) == whole:
            logits = self.network(waves).logits
        elif self.alone:
            single = [
                self.network(wave[None, :size]).logits[0] for wave, size in zip(waves, lengths.tolist(), strict=True)
            ]
            logits = nn.utils.rnn.pad_sequence(single, batch_first=True)
        else:
            heard = torch.arange(whole)[None, :] < lengths[:, None]
            logits = self.network(waves, attention_mask=heard.long()).logits
        blank = torch.logsumexp(logits[..., self.mute], dim=-1, keepdim=True)
        return torch.cat([logits[..., self.columns], blank], dim=-1), count


def read(folder: Path, spec: dict[str, Any], labels: tuple[str, ...], recipe: Train) -> tuple[Module, dict[str, Any]]:
    """The checkpoint in `folder`, and which of its symbols were left out or taken for blank; `spec` is told the columns.

    Raises FrameworkError for another architecture, weights in a pickle, features that are no wave, and unknown labels.
    """
    config = _json(folder, CONFIG)
    if ARCHITECTURE not in config.get("architectures", []):
        raise FrameworkError(
            f"train.import: {folder} is a {', '.join(config.get('architectures', ['checkpoint of no known kind']))}; "
            f"allowed: {ARCHITECTURE}"
        )
    _check_weights(folder)
    _check_features(folder, spec, recipe)
    columns, mute, dropped = _matched(folder, config, labels)
    spec |= {"columns": columns, "mute": mute}
    return load(folder, spec), {"left_out": dropped, "taken_for_blank": len(mute) - 1}


def save(network: Any, folder: Path) -> None:
    """Writes configuration and weights as transformers reads them, and the spec with the order of the columns."""
    folder.mkdir(parents=True, exist_ok=True)
    network.network.save_pretrained(folder)
    (folder / SPEC).write_text(json.dumps(network.spec, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load(folder: Path, spec: dict[str, Any]) -> Module:
    """The checkpoint in `folder` with its columns as `spec` says. Raises FrameworkError when weights are missing."""
    from transformers import Wav2Vec2ForCTC
    from transformers.utils import logging

    logging.disable_progress_bar()
    network, found = Wav2Vec2ForCTC.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    if missing := sorted(found["missing_keys"]):
        raise FrameworkError(f"{folder}: {WEIGHTS} lacks {', '.join(missing[:5])}, which its {CONFIG} asks for")
    return Checkpoint(network, spec["columns"], spec["mute"]).eval()


def _check_weights(folder: Path) -> None:
    if not any(folder.glob("model*.safetensors")):
        pickled = sorted(file.name for file in folder.glob("*.bin"))
        having = f"has {', '.join(pickled)}, a pickle, which runs what it holds" if pickled else f"has no {WEIGHTS}"
        raise FrameworkError(
            f"train.import: {folder} {having}; allowed: weights in {WEIGHTS} (save_pretrained writes it)"
        )


def _check_features(folder: Path, spec: dict[str, Any], recipe: Train) -> None:
    """wav2vec 2.0 hears normalised samples at the rate it was trained with."""
    if len(spec["shape"]) != 1:
        raise FrameworkError(
            f"train.import: {ARCHITECTURE} hears samples (samples,), the features are {tuple(spec['shape'])}; "
            "allowed: train.frontend {kind: wave, sample_rate: 16000}"
        )
    heard = _json(folder, "preprocessor_config.json", needed=False)
    wanted, given = heard.get("sampling_rate"), (recipe.frontend or {}).get("sample_rate")
    if wanted and given and wanted != given:
        raise FrameworkError(
            f"train.import: {folder} hears {wanted} Hz, train.frontend gives {given}; allowed: {wanted}"
        )
    if heard.get("do_normalize") is False:
        raise FrameworkError(
            f"train.import: {folder} hears samples as they are; allowed: a checkpoint with do_normalize"
        )


def _matched(folder: Path, config: dict[str, Any], labels: tuple[str, ...]) -> tuple[list[int], list[int], list[str]]:
    """(a column a label, columns that mean blank, symbols left out). Raises FrameworkError that names both sides."""
    known: dict[str, Any] = {**_json(folder, VOCABULARY), **_json(folder, "added_tokens.json", needed=False)}
    if any(isinstance(place, dict) for place in known.values()):
        raise FrameworkError(f"train.import: {folder}/{VOCABULARY} is of several languages; allowed: of one")
    missing = [label for label in labels if label not in known]
    if missing:
        raise FrameworkError(
            f"train.import: the corpus's {', '.join(missing)} is not in {folder}/{VOCABULARY}; it has: {', '.join(known)}"
        )
    blank, size = config.get("pad_token_id", 0), config["vocab_size"]
    if not isinstance(blank, int) or max([blank, *known.values()]) >= size:
        raise FrameworkError(
            f"train.import: {folder}/{VOCABULARY} or its pad token {blank} is outside of {size} columns"
        )
    columns = [known[label] for label in labels]
    names = {place: name for name, place in known.items()}
    special = _special(folder)
    rest = [place for place in range(size) if place not in columns]
    mute = [place for place in rest if place == blank or names.get(place, "<unk>") in special]
    if blank not in mute:
        raise FrameworkError(f"train.import: {folder} takes {names[blank]!r} for blank, and the corpus for a label")
    return columns, mute, [names[place] for place in rest if place not in mute]


def _special(folder: Path) -> set[str]:
    """The names of tokens that are no sound."""
    told = {
        **SPECIAL,
        **_json(folder, "tokenizer_config.json", needed=False),
        **_json(folder, "special_tokens_map.json", needed=False),
    }
    values = [told[name] for name in SPECIAL]
    return {str(value["content"] if isinstance(value, dict) else value) for value in values} | {"<unk>"}


def _json(folder: Path, name: str, *, needed: bool = True) -> dict[str, Any]:
    """One of the checkpoint's own files; nothing where it may be absent. Raises FrameworkError that names it."""
    file = folder / name
    if not file.is_file():
        if needed:
            raise FrameworkError(
                f"train.import: {folder} has no {name}; allowed: a folder as save_pretrained leaves it"
            )
        return {}
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FrameworkError(f"train.import: {file} is no JSON: {error}") from error
    if not isinstance(held, dict):
        raise FrameworkError(f"train.import: {file} holds a {type(held).__name__}; allowed: an object")
    return held
