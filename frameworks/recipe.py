"""What params.yaml may say about a model, as frozen sections that refuse unknown keys and impossible values."""

from typing import Annotated, Any, Literal

import pydantic
from pianissimo import frontend
from pydantic import ConfigDict, Field, StringConstraints, model_validator

STAGES = ("prepare", "train", "distill", "prune", "quantize", "convert", "validate", "gate", "publish")
STARTERS = ("torch",)  # frameworks that can train on from a network whose labels are others
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]  # what a manifest takes as a name


class Section(pydantic.BaseModel):
    """One section of params.yaml. Frozen, strict about types, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True, allow_inf_nan=False)


class Stage(Section):
    """A section that may say why its stage does not apply: `skip: "the reason"`."""

    skip: str | None = Field(default=None, min_length=1)


class Split(Section):
    """Fractions of a corpus that has no official split; they are shares, so they add up to one."""

    train: float = Field(default=0.7, gt=0, lt=1)
    validation: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.15, gt=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "Split":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train + validation + test make {total:g}; they must add up to 1")
        return self


class Prepare(Section):
    """Which corpus, cut and split how; `frontend` is checked by the runtime, which owns front ends.

    `pieces` cuts every recording into pieces of so many seconds, each with its recording's label and group; a rest shorter
    than half a piece, and a piece 40 dB under its recording's loudest, hold nothing of the label and are left out.
    `unreadable` files and `silent` ones (every sample zero) stop the stage unless they may be left out; the record then
    names them, since data that vanishes quietly is accuracy that vanishes quietly.
    """

    corpus: str = Field(min_length=1)
    frontend: dict[str, Any]
    pieces: float | None = Field(default=None, gt=0, le=3600)
    split: Split = Split()
    calibration: int = Field(default=200, ge=16, le=10_000)
    max_seconds: float = Field(default=30.0, gt=0, le=3600)
    unreadable: Literal["refuse", "leave_out"] = "refuse"
    silent: Literal["refuse", "leave_out", "allow"] = "refuse"

    @pydantic.field_validator("frontend")
    @classmethod
    def _can_be_built(cls, spec: dict[str, Any]) -> dict[str, Any]:
        frontend.build(spec)
        return spec


class Augment(Section):
    """What training does to features so that a network does not learn a recording by heart. Amounts are in frames, bands, or
    standard deviations of the normalised features; `stretch` is the share by which a clip is said faster or slower (frames are
    interpolated, so that formants stay; a wave's pitch moves along), `masks` how many of either mask a clip gets."""

    stretch: float = Field(default=0.0, ge=0, le=0.5)
    shift: int = Field(default=0, ge=0, le=1000)
    shift_bands: int = Field(default=0, ge=0, le=1000)
    gain: float = Field(default=0.0, ge=0, le=3)
    noise: float = Field(default=0.0, ge=0, le=3)
    mask_frames: int = Field(default=0, ge=0, le=1000)
    mask_bands: int = Field(default=0, ge=0, le=1000)
    masks: int = Field(default=1, ge=1, le=100)


class Fit(Section):
    """What every stage that trains shares. `balance` weighs each class by the inverse of its share of train."""

    epochs: int = Field(default=20, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=65_536)
    learning_rate: float = Field(default=0.003, gt=0, le=1)
    balance: bool = False
    augment: Augment = Augment()


class Train(Fit):
    """The float teacher, everything after it is measured against.

    `import` names a trained network to take as it is instead: what a framework can read is for it to say. `start` names one
    whose weights to train on from, its labels being others. `frontend` is what the teacher hears, where that is not what
    ships (a wav2vec 2.0 takes the wave itself).
    """

    network: dict[str, Any] = {}
    import_: str | None = Field(default=None, alias="import", min_length=1)
    start: str | None = Field(default=None, min_length=1)
    frontend: dict[str, Any] | None = None

    @pydantic.field_validator("frontend")
    @classmethod
    def _can_be_built(cls, spec: dict[str, Any] | None) -> dict[str, Any] | None:
        if spec is not None:
            frontend.build(spec)
        return spec

    @model_validator(mode="after")
    def _one_beginning(self) -> "Train":
        if self.import_ and self.start:
            raise ValueError("import takes a network as it is, start trains on from one; allowed: one of them")
        return self


class StandIn(Section):
    """A small model of another framework, trained beside the student, for platforms that say `stand_in: true`."""

    framework: str = Field(min_length=1)
    network: dict[str, Any] = {}


class Distill(Fit, Stage):
    """Hinton, Vinyals and Dean 2015: soft targets at `temperature`, weighted `alpha` against the labels' 1 - alpha.
    `start` is as in train."""

    network: dict[str, Any] = {}
    temperature: float = Field(default=4.0, ge=1, le=100)
    alpha: float = Field(default=0.7, ge=0, le=1)
    start: str | None = Field(default=None, min_length=1)
    stand_in: StandIn | None = None


class Prune(Fit, Stage):
    """Channels are removed for good (the network narrows); then weights are zeroed by magnitude (the file compresses)."""

    channels: float = Field(default=0.0, ge=0, lt=0.95)
    multiple: int = Field(default=4, ge=1, le=64)
    sparsity: float = Field(default=0.0, ge=0, lt=0.99)
    max_drop: float = Field(default=1.0, ge=0, le=100)
    attempts: int = Field(default=3, ge=1, le=10)


class Aware(Section):
    """Quantization-aware training, used only where post-training quantization costs too much."""

    epochs: int = Field(ge=1, le=1000)
    batch_size: int = Field(default=64, ge=1, le=65_536)
    learning_rate: float = Field(gt=0, le=1)


class Quantize(Stage):
    """The search for int8: post-training, then aware, then the costliest layers stay float; `max_drop` is in points."""

    max_drop: float = Field(default=0.3, ge=0, le=100)
    aware: Aware | None = None
    float_layers: int = Field(default=2, ge=0, le=100)


class Variant(Section):
    """One file form a platform may load."""

    backend: Literal["tflite", "onnx", "numpy"]
    precision: Literal["float32", "float16", "int8"]


class Platform(Section):
    """The variants of a platform in order of preference; `device: micro` wants int8 inside and outside, and C sources;
    `stand_in` takes the model that `distill.stand_in` made instead of the student."""

    device: Literal["micro", "any"] = "any"
    stand_in: bool = False
    variants: list[Variant] = Field(min_length=1)  # of a tuple, pydantic also says it is empty when a part is wrong

    @model_validator(mode="after")
    def _micro_is_int8(self) -> "Platform":
        if self.device == "micro" and any((v.backend, v.precision) != ("tflite", "int8") for v in self.variants):
            raise ValueError("device micro takes variants of backend tflite and precision int8 only")
        return self


class Convert(Section):
    """Which platforms are made, and in which forms."""

    platforms: dict[Name, Platform] = Field(min_length=1)


class Validate(Section):
    """How much is measured: rounds of interleaved calls, bootstrap resamples, golden vectors."""

    rounds: int = Field(default=300, ge=30, le=100_000)
    bootstrap: int = Field(default=2000, ge=100, le=100_000)
    golden: int = Field(default=6, ge=1, le=64)


class Limits(Section):
    """What one platform must keep to. A limit left out is not judged; a platform with none is rejected."""

    floor: float | None = Field(default=None, ge=0, le=100)
    max_drop: float | None = Field(default=None, ge=0, le=100)
    drop_type: Literal["absolute", "relative"] = "absolute"
    max_drop_from_float: float | None = Field(default=None, ge=0, le=100)
    max_bytes: int | None = Field(default=None, ge=1)
    smaller: float | None = Field(default=None, ge=0, lt=100)
    faster: float | None = Field(default=None, gt=0)
    faster_than_float: float | None = Field(default=None, gt=0)
    max_p95_ms: float | None = Field(default=None, gt=0)
    max_predict_p99_ms: float | None = Field(default=None, gt=0)
    max_frame_p99_ms: float | None = Field(default=None, gt=0)
    max_rtf: float | None = Field(default=None, gt=0)
    max_memory_mb: float | None = Field(default=None, gt=0)
    max_arena: int | None = Field(default=None, ge=1)
    agreement: float | None = Field(default=None, ge=0, le=100)
    max_distance: float | None = Field(default=None, gt=0)
    max_false_accepts: float | None = Field(default=None, ge=0, le=100)
    max_false_rejects: float | None = Field(default=None, ge=0, le=100)


class Gate(Section):
    """Limits, a platform each."""

    platforms: dict[Name, Limits] = {}


class Publish(Section):
    """Where what passed goes; `stable` moves only when every platform passed."""

    registry: str = Field(default="artifacts/registry", min_length=1)
    channels: tuple[Name, ...] = Field(default=("candidate", "stable"), strict=False)


class Recipe(Section):
    """One model's section of params.yaml, a key a stage."""

    framework: str = Field(min_length=1)
    seed: int = Field(ge=0, le=2**31 - 1)
    prepare: Prepare
    train: Train
    distill: Distill
    prune: Prune
    quantize: Quantize
    convert: Convert
    validate_: Validate = Field(alias="validate")
    gate: Gate
    publish: Publish

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        made = self.convert.platforms
        strange = sorted(set(self.gate.platforms) - set(made))
        if strange:
            raise ValueError(
                f"gate.platforms names {', '.join(strange)}, which convert does not make; it makes: {', '.join(made)}"
            )
        begun = [name for name in ("train", "distill") if getattr(self, name).start]
        if begun and self.framework not in STARTERS:
            raise ValueError(
                f"{begun[0]}.start is of no use to {self.framework}; allowed for: {', '.join(STARTERS)}. "
                "train.import takes a trained network as it is"
            )
        if self.distill.skip and self.train.frontend:
            raise ValueError("distill is skipped, so the teacher ships: train.frontend must go, prepare.frontend stays")
        replaced = [name for name, platform in made.items() if platform.stand_in]
        if replaced and (self.distill.skip or not self.distill.stand_in):
            raise ValueError(f"{', '.join(replaced)} asks for a stand-in, but distill.stand_in makes none")
        int8 = [name for name, platform in made.items() if any(v.precision == "int8" for v in platform.variants)]
        if self.quantize.skip and int8:
            raise ValueError(
                f"quantize is skipped, but {', '.join(int8)} asks for int8; allowed without it: float32, float16"
            )
        return self
