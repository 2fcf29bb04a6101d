#!/usr/bin/env bash
# The whole way of what was published, as those go it who only load: from the registry's folder in one environment a backend,
# then from a real S3 server on this machine: signed, installed from there, loaded, predicted with; a second version, a roll
# back, a manifest somebody tampered with. Ends everything it started.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH PYTHONPATH=$PWD:$PWD/runtime/src PYTHONDONTWRITEBYTECODE=1
here=$PWD/tests/smoke registry=$PWD/artifacts/registry lock=$PWD/requirements.lock

step() { printf '\n== %s\n' "$*"; }
fail() { echo "$*" >&2; exit 1; }

wheel=$(ls "$registry"/runtime/pianissimo-*.whl 2>/dev/null | sort -V | tail -n 1) || true
[ -n "$wheel" ] || fail "no wheel in $registry/runtime: run 'make optimize' first"
folder=$(mktemp -d) server=
finish() {
    trap '' INT TERM  # whoever asks twice shall not keep it from tidying up
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$folder/sevens"
find data/corpora/generated_speech/audio/seven -name '*.wav' 2>/dev/null | sort | awk 'NR % 28 == 1' | head -n 20 |
    while read -r clip; do cp "$clip" "$folder/sevens"; done
[ -n "$(ls "$folder/sevens")" ] || fail "no generated speech in data/corpora: run 'make optimize' first"

# Nothing that is set here, or lies in the project, reaches a consumer.
for name in $(compgen -e | grep -E '^(PIANISSIMO_|AWS_)'); do unset "$name"; done
export PIANISSIMO_CACHE=$folder/cache
consumer() { (cd "$folder" && env -u PYTHONPATH "$folder/$1/bin/python" "$here/consumer.py" "${@:2}"); }
environment() {  # NAME WHAT: a fresh one with this alone, from the package index
    python3 -m venv "$folder/$1"
    env -u PYTHONPATH "$folder/$1/bin/pip" install -qq --disable-pip-version-check --constraint "$lock" "$2"
}

for backend in tflite onnx; do
    step "a fresh environment with numpy and $backend alone, and the registry's folder"
    environment "$backend" "$wheel[$backend]"
    consumer "$backend" installed
    PIANISSIMO_REGISTRY=$registry consumer "$backend" platforms "$folder/served"
done
consumer tflite all-served "$folder/served"
PIANISSIMO_REGISTRY=$registry consumer tflite sevens

step "an S3 server on this machine (rclone serve s3), its bucket empty"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ACCESS_KEY_ID=smoke AWS_SECRET_ACCESS_KEY=$RANDOM$RANDOM$RANDOM AWS_ENDPOINT_URL=http://127.0.0.1:$port
export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
mkdir -p "$folder/s3/models"
rclone serve s3 --config "" --addr "127.0.0.1:$port" --auth-key "$AWS_ACCESS_KEY_ID,$AWS_SECRET_ACCESS_KEY" "$folder/s3" \
    >"$folder/server.log" 2>&1 &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { cat "$folder/server.log" >&2; fail "the S3 server did not start"; }
    sleep 0.1
done
bucket=s3://models/registry
export PIANISSIMO_SIGNING_KEY=$folder/key/signing.pem

step "the registry is copied there and signed; consumers pin the key"
python3 -m registry copy "$bucket" --registry "$registry"
python3 -m registry key --sign --registry "$bucket"
PIANISSIMO_PUBLIC_KEY=$(python3 -m registry key --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["public_key"])')
export PIANISSIMO_PUBLIC_KEY PIANISSIMO_REGISTRY=$bucket
python3 -m registry list
python3 -m registry audit --public-key "$PIANISSIMO_PUBLIC_KEY"

step "the wheel, installed from the bucket into a fresh environment"
environment bucket "pianissimo[tflite,onnx,s3,verify] @ $(python3 "$here/publisher.py" wheel)"
consumer bucket installed

step "every published platform, loaded from the bucket and verified"
consumer bucket platforms "$folder/served-from-bucket"
consumer bucket all-served "$folder/served-from-bucket"
first=$(consumer bucket sevens)
echo "$first"

step "a second version is published, and consumers get it"
python3 "$here/publisher.py" second
second=$(consumer bucket sevens)
echo "$second"
[ "${first%%:*}" != "${second%%:*}" ] || fail "the second version does not answer"

step "it is rolled back, and the earlier version answers as before"
python3 -m registry rollback keywords --why "a smoke test"
again=$(consumer bucket sevens)
echo "$again"
[ "$first" = "$again" ] || fail "the earlier version does not answer as it did"

step "somebody swaps two labels in its manifest: the audit names it, who pinned the key refuses it, who did not is fooled"
python3 "$here/publisher.py" tamper
if python3 -m registry audit --public-key "$PIANISSIMO_PUBLIC_KEY"; then fail "the audit did not notice"; fi
consumer bucket refused
(unset PIANISSIMO_PUBLIC_KEY && consumer bucket sevens 0)
python3 "$here/publisher.py" tamper
consumer bucket sevens

step "the server is stopped: what was downloaded still answers"
kill "$server" && wait "$server" 2>/dev/null || true
server=
(unset PIANISSIMO_REGISTRY && consumer bucket sevens)
echo
echo "smoke: all of it works"
