#!/usr/bin/env bash
# Builds e2e/istio/translate from Istio's source, unless it is current, and prints its path.
set -eu
. "$(dirname "$0")/mesh.sh"
fetch_source istio
mkdir -p "$MESH/src-istio/translate"
cmp -s "$here/translate/main.go" "$MESH/src-istio/translate/main.go" && [ -x "$bin/translate" ] || {
    cp "$here/translate/main.go" "$MESH/src-istio/translate/main.go"
    say "building the translator (the first time it takes minutes)"
    (cd "$MESH/src-istio" && go mod tidy -e && go build -o "$bin/translate" ./translate) >&2 ||
        die 'the translator could not be built'
}
printf '%s\n' "$bin/translate"
