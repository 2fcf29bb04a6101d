"""Where the values of an ONNX network's tensors lie: what static quantization is calibrated by, one clip at a time."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.quantization import calibrate
from pianissimo.backends.shapes import fitted

from frameworks.examples import Features
from frameworks.formats import onnx_files

BINS = {"entropy": 256, "percentile": 2048}  # of a histogram; entropy tries each threshold beyond LEVELS, and slowly
LEVELS = 128  # TensorRT's (Migacz 2017, "8-bit inference with TensorRT"): finer ones fit noise of few clips
PERCENTILE = 99.99  # of values kept; 99.999 is the maximum itself where a tensor has less than 100,000 values

METHODS = {
    "minmax": calibrate.CalibrationMethod.MinMax,
    "entropy": calibrate.CalibrationMethod.Entropy,
    "percentile": calibrate.CalibrationMethod.Percentile,
}


class MethodError(ValueError):
    """There is no such way to calibrate."""


def observe(network: Path, calibration: Features, method: str, kinds: list[str], dest: Path) -> None:
    """Writes the range of each tensor that an operator of `kinds` takes or gives to `dest`, in ONNX Runtime's own JSON.

    `minmax` keeps every value; `entropy` and `percentile` cut rare ones off. Clips may differ in length, so each goes
    through alone. Raises MethodError that lists the methods.
    """
    if method not in METHODS:
        raise MethodError(f"no calibration method {method!r}; there is: {', '.join(METHODS)}")
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):  # it reports by print
        ranges = _watch(calibrate.MinMaxCalibrater, network, calibration, kinds, Path(folder))
        if method != "minmax":
            ranges = _histograms(method, ranges, network, calibration, kinds, Path(folder))
        calibrate.save_tensors_data(ranges, dest)


def clips(session: Any, features: Features) -> Iterator[dict[str, np.ndarray]]:
    """What an ONNX Runtime session takes, a clip at a time, in the shape it declares."""
    (port,) = session.get_inputs()
    shape = [size if isinstance(size, int) else None for size in port.shape]
    kind = np.float16 if port.type == "tensor(float16)" else np.float32
    for clip in features:
        yield {port.name: fitted(clip[None].astype(np.float32, copy=False), shape).astype(kind, copy=False)}


class _Clips(calibrate.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: list[dict[str, np.ndarray]]) -> None:
        self.feeds = iter(feeds)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """ONNX Runtime calls this until it gives None."""
        return next(self.feeds, None)


def _watch(kind: Any, network: Path, calibration: Features, kinds: list[str], folder: Path, **settings: Any) -> Any:
    seeded = settings.pop("collector", None)
    calibrator = kind(network, kinds, str(folder / "augmented.onnx"), **settings)
    calibrator.collector = seeded
    calibrator.augment_graph()
    calibrator.infer_session = onnx_files.session(
        Path(calibrator.augmented_model_path), onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    for feed in clips(calibrator.infer_session, calibration):
        calibrator.collect_data(_Clips([feed]))
    return calibrator.compute_data()


def _histograms(
    method: str, extremes: Any, network: Path, calibration: Features, kinds: list[str], folder: Path
) -> Any:
    """Thresholds by histograms over the extremes seen before: ONNX Runtime's own grow by the first clip's width, so
    that a silent first clip asks for millions of bins."""
    bins = BINS[method]
    collector = calibrate.HistogramCollector(
        method=method, symmetric=False, num_bins=bins, num_quantized_bins=LEVELS, percentile=PERCENTILE, scenario="same"
    )
    collector.histogram_dict = {name: _empty(found.range_value, bins) for name, found in extremes.items()}
    kind = {"entropy": calibrate.EntropyCalibrater, "percentile": calibrate.PercentileCalibrater}[method]
    return _watch(kind, network, calibration, kinds, folder, collector=collector)


def _empty(ends: tuple[Any, Any], bins: int) -> tuple[Any, ...]:
    lowest, highest = (np.float32(np.squeeze(end)) for end in ends)
    reach = np.maximum(np.maximum(np.abs(lowest), np.abs(highest)), np.float32(1e-6))
    counts, edges = np.histogram(np.empty(0, np.float32), bins, range=(-reach, reach))
    return counts, edges.astype(np.float32), lowest, highest, reach
