"""Rounding of weights to int8 that minds what they are multiplied with, instead of each weight's own nearest step."""

from typing import NamedTuple

import numpy as np

STEPS = 127  # int8 weights are symmetric
BIAS = 2**29  # steps of a bias, at most: a scale is not so fine that int32 cannot hold it
DAMPING = 0.01  # of the mean variance of inputs: those that hardly vary must not be divided by


class Rounded(NamedTuple):
    """Weights as `integers` (out, in) int8 times `scales` (out,), and the `bias` (out,) int32 in steps of input and weight."""

    integers: np.ndarray
    scales: np.ndarray
    bias: np.ndarray


def rounded(weights: np.ndarray, heard: np.ndarray, wanted: np.ndarray, step: float, *, one_scale: bool = False) -> Rounded:
    """int8 for `weights` (out, in), so that on `heard` (rows, in), in steps of `step`, they come nearest to `wanted`
    (rows, out).

    `heard` is what the int8 network hears there, `wanted` what the float one answers, before its activation: the bias takes up
    what rounding so far has shifted. Each weight's error is spread over those not yet rounded, by how inputs vary together.
    (GPTQ: Frantar et al. 2022.) `one_scale` is for kernels that have a single one.
    """
    middle, moments = _moments(heard)
    weights = weights.astype(np.float64)
    least = (np.abs(wanted).max(axis=0) + 1e-9) / (step * BIAS)
    scales = np.maximum(np.abs(weights).max(axis=1) / STEPS, least)
    if one_scale:
        scales = np.full_like(scales, scales.max())
    integers = _spread(weights, moments, scales)
    bias = wanted.mean(axis=0, dtype=np.float64) - (integers * scales[:, None]) @ middle
    return Rounded(integers, scales, np.rint(bias / (step * scales)).astype(np.int32))


def _moments(heard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each input (in,), and their covariance (in, in), damped so that it can be inverted."""
    middle = heard.mean(axis=0, dtype=np.float64)
    apart = heard - middle.astype(heard.dtype)
    moments = (apart.T @ apart).astype(np.float64) / len(heard)
    damping = max(DAMPING * float(np.mean(np.diag(moments))), 1e-12)
    return middle, moments + damping * np.eye(len(moments))


def _spread(weights: np.ndarray, moments: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Column by column, the input that varies most first; what one rounds away, the later ones make up for. A weight that was
    pruned stays 0, and its file as small."""
    order = np.argsort(-np.diag(moments), kind="stable")
    left = weights[:, order].copy()
    factor = np.linalg.cholesky(np.linalg.inv(moments[np.ix_(order, order)])).T
    integers = np.empty(weights.shape, np.int8)
    for place, column in enumerate(order):
        nearest = np.clip(np.rint(left[:, place] / scales), -STEPS, STEPS) * (weights[:, column] != 0)
        integers[:, column] = nearest
        error = (left[:, place] - nearest * scales) / factor[place, place]
        left[:, place:] -= error[:, None] * factor[place, place:]
    return integers
