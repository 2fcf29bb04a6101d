#!/usr/bin/env bash
# What a consumer does: installs the wheel from the registry into an environment of its own, loads every published model
# on each of its platforms, verifies it, and names a digit said by twenty voices.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=$PWD/artifacts/registry
wheel=$(ls "$registry"/runtime/pianissimo-*.whl 2>/dev/null | tail -n 1) || true
[ -n "$wheel" ] || { echo "no wheel in $registry/runtime: run 'make optimize' first" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check --constraint requirements.lock "$wheel[tflite,onnx]"
mkdir "$folder/seven"
find data/corpora/generated_speech/audio/seven -name '*.wav' 2>/dev/null | sort | awk 'NR % 28 == 1' | head -n 20 |
    while read -r clip; do cp "$clip" "$folder/seven"; done
[ -n "$(ls "$folder/seven")" ] || { echo "no generated speech in data/corpora: run 'make optimize' first" >&2; exit 1; }
cd "$folder"   # nothing of the project is in sight from here
PIANISSIMO_REGISTRY=$registry env/bin/python - <<'PY'
import os
from pathlib import Path

import pianissimo as pp
from pianissimo.store import open_registry

registry = open_registry(None)
for folder in sorted(Path(os.environ["PIANISSIMO_REGISTRY"], "models").iterdir()):
    for platform in registry.manifest(folder.name, "stable", None).platforms:
        with pp.load(folder.name, platform=platform) as model:
            proof = model.verify()
            print(f"{folder.name:<13} {platform:<9} {model.info.variant:<15} {model.info.bytes:>9,} bytes "
                  f" golden scores within {proof.scores:.2g} (allowed {proof.tolerance.scores:g})")
PY
PIANISSIMO_REGISTRY=$registry env/bin/python -m pianissimo predict keywords --platform edge seven/*.wav | tee answers
known=$(grep -c "  seven  " answers) || true
[ "$known" -ge 18 ] || { echo "the edge artifact knows $known of 20 sevens from its own corpus, wanted 18" >&2; exit 1; }
