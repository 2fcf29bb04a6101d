# A consumer: the runtime, numpy and one backend, and nothing that installs. Built from the project's root, with BuildKit:
#   docker build -f containers/consumer.Dockerfile -t pianissimo-consumer .
#   docker run --rm -v $PWD/artifacts/registry:/registry:ro -v $PWD:/audio:ro pianissimo-consumer predict keywords /audio/seven.wav
# EXTRAS=onnx for models in ONNX files, tflite,s3 for a registry in a bucket.
FROM python:3.11.13-slim-bookworm AS packages
ARG EXTRAS=tflite
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY runtime runtime
# The libraries' own tests, headers and bytecode serve nobody here: 122 MB become 115, with tflite.
RUN pip install --no-compile --target /packages "./runtime[$EXTRAS]" \
    && find /packages -type d \( -name tests -o -name include -o -name __pycache__ \) -prune -exec rm -rf {} +

FROM python:3.11.13-slim-bookworm
RUN useradd --create-home --uid 10001 consumer
COPY --from=packages /packages /packages
USER 10001
WORKDIR /home/consumer
ENV PYTHONPATH=/packages PYTHONUNBUFFERED=1 PIANISSIMO_REGISTRY=/registry
ENTRYPOINT ["python", "-m", "pianissimo"]
CMD ["info"]
