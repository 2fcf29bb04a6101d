"""A web service around published models, with `/metrics` for Prometheus.

Run by

    pip install fastapi uvicorn 'pianissimo[tflite,metrics]'
    PIANISSIMO_REGISTRY=path/to/registry uvicorn examples.service:app
    curl --data-binary @yes.wav 'http://127.0.0.1:8000/predict/keywords?platform=edge'

The library does the rest: models are opened at their first question and closed when idle, as many are answered at once
as there are cores, and the others wait. With several workers (`uvicorn --workers 2`) each process has a library and
metrics of its own.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import pianissimo as pp
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pianissimo import prometheus
from pianissimo.wav import parse_wav

LARGEST = 20 * 2**20  # bytes of a recording
# What the caller did wrong and what is not there; everything else is the service's own fault.
STATUS: dict[type[pp.PianissimoError], int] = {
    pp.AudioError: 422,
    pp.EnrolmentError: 422,
    pp.ManifestError: 422,  # a name that no model can have
    pp.ModelNotFoundError: 404,
    pp.PlatformNotFoundError: 404,
}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One library for the life of the process; its switches come from the environment."""
    with pp.Library() as library:
        app.state.library = library
        yield


app = FastAPI(title="Pianissimo", lifespan=lifespan)


@app.exception_handler(pp.PianissimoError)
async def told(request: Request, fault: Exception) -> JSONResponse:  # noqa: ARG001
    """Every error of the runtime says what is allowed: the caller may read it."""
    status = next((code for kind, code in STATUS.items() if isinstance(fault, kind)), 503)
    return JSONResponse({"error": type(fault).__name__, "message": str(fault)}, status)


@app.post("/predict/{name}")
async def predict(request: Request, name: str, platform: str | None = None) -> dict[str, Any]:
    """What a recording says; the body is a WAV file."""
    samples, rate = parse_wav(await recording(request), "the recording")
    answer = await request.app.state.library.predict_async(name, samples, rate, platform=platform)
    return asdict(answer)


@app.get("/metrics")
def metrics() -> Response:
    """What Prometheus scrapes."""
    return Response(prometheus.exposition(), media_type=prometheus.CONTENT_TYPE)


@app.get("/health")
def health(request: Request) -> JSONResponse:
    """503 while memory is short, so that a balancer sends new callers elsewhere."""
    degraded = request.app.state.library.report()["memory"]["degraded"]
    return JSONResponse({"degraded": degraded}, 503 if degraded else 200)


@app.get("/report")
def report(request: Request) -> Response:
    """Models, memory, figures, alerts, switches and diagnostics, for people."""
    return Response(json.dumps(request.app.state.library.report(), indent=2), media_type="application/json")


async def recording(request: Request) -> bytes:
    """The body, of which no more is taken in than is allowed."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST:
            raise HTTPException(413, f"more than {LARGEST} bytes; allowed: a shorter recording")
    return bytes(data)
