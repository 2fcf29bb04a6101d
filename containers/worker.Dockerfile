# A worker: the locked environment and the project as committed. Built from the project's root, with BuildKit:
#   docker build -f containers/worker.Dockerfile -t pianissimo-worker .
# torch is a CPU build where TORCH_INDEX names PyTorch's index of them; without it the image is gigabytes larger.
FROM python:3.11.13-slim-bookworm AS environment
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_EXTRA_INDEX_URL=$TORCH_INDEX
RUN python -m venv /opt/pianissimo
ENV PATH=/opt/pianissimo/bin:$PATH
WORKDIR /build
COPY requirements.lock .
RUN pip install -r requirements.lock

FROM python:3.11.13-slim-bookworm
# hadolint ignore=DL3008  # Debian's mirrors drop a version when the next one is there, so that a pinned one stops building
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 worker
COPY --from=environment /opt/pianissimo /opt/pianissimo
USER 10001
WORKDIR /home/worker/pianissimo
# Only the history is copied, so that the clone is its commit to the letter, whatever lay in the folder it came from.
COPY --chown=10001:10001 .git .git
RUN git reset --quiet --hard
ENV PATH=/opt/pianissimo/bin:$PATH \
    PIANISSIMO_HOME=/home/worker/pianissimo \
    PYTHONPATH=/home/worker/pianissimo:/home/worker/pianissimo/runtime/src \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    DO_NOT_TRACK=1 \
    DVC_NO_ANALYTICS=1
# A long-lived worker, for a host of its own; workers of Docker, Kubernetes and ECS pools say their own command.
CMD ["python", "-m", "prefect", "worker", "start", "--pool", "pianissimo-models", "--limit", "1"]
