#!/usr/bin/env bash
# The admission webhook against a real API server: kubectl apply of a broken document shows its errors, a
# good one passes, and without the webhook everything does. `make test-webhook` runs it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/mesh.sh"
cd "$root"
ISTIO_API=v1.31.1
state=$(mktemp -d)
trap 'down; rm -rf "$state"' EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_webhook() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=webhook \
        -addext "subjectAltName=IP:127.0.0.1" -keyout "$state/tls.key" -out "$state/tls.crt" 2>/dev/null
    start webhook target/debug/jwt-rbac webhook --listen 127.0.0.1:0 \
        --certificate "$state/tls.crt" --key "$state/tls.key"
    wait_for 'the webhook' grep -q 'listening on' "$state/log/webhook"
    address=$(sed -n 's/.*listening on //p' "$state/log/webhook")
}

# plugin NAME URL: a WasmPlugin with the pluginConfig of standard input.
plugin() {
    cat <<END
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: $1, namespace: default}
spec:
  selector: {matchLabels: {app: $1}}
  url: $2
  phase: AUTHN
  failStrategy: FAIL_RELOAD
  match: [{mode: SERVER}]
  pluginConfig:
$(sed 's/^/    /')
END
}

# expect STATUS TEXT…: applies standard input, and looks for texts in what kubectl says.
expect() {
    local wanted=$1 said status=0
    shift
    said=$(kubectl apply -f - 2>&1) || status=$?
    echo "$said" | sed 's/^/    /'
    [ "$((status != 0))" = "$wanted" ] || die "kubectl ended with $status"
    for text in "$@"; do
        case $said in *"$text"*) ;; *) die "kubectl did not say: $text" ;; esac
    done
}

build_api_server
start_api_server "$(free_port)" "$(free_port)" "$(free_port)"
crds=$(go mod download -json "istio.io/api@$ISTIO_API" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
kubectl apply --server-side -f "$crds/kubernetes/customresourcedefinitions.gen.yaml" >/dev/null
kubectl wait --for condition=established --timeout 60s \
    crd/wasmplugins.extensions.istio.io crd/trafficextensions.extensions.istio.io >/dev/null
start_webhook
kubectl apply -f wasmplugin/webhook/webhook.yaml
# Here is no pod and no Service that reaches one: the API server asks the process.
kubectl patch validatingwebhookconfiguration jwt-rbac-webhook --type json -p "[
    {\"op\": \"replace\", \"path\": \"/webhooks/0/clientConfig\",
      \"value\": {\"url\": \"$address/validate\", \"caBundle\": \"$(base64 -w0 < "$state/tls.crt")\"}}]"

echo "the API server takes what fetched keys need"
kubectl create namespace istio-system
kubectl apply -f wasmplugin/keys

url=https://artifacts.example.com/jwt_rbac.wasm
good='routes: [{paths: [/health], access: PUBLIC}, {paths: [/closed], access: DENIED}]'
broken='routes: [{paths: [/health], acess: PUBLIC}]
decisionLog: SOME'
# The API server takes a new webhook into use within a second or so.
for _ in $(seq 60); do
    plugin probe "$url" <<< "$broken" | kubectl apply --dry-run=server -f - >/dev/null 2>&1 || break
    sleep 0.2
done

echo "a good document passes"
plugin good "$url" <<< "$good" | expect 0 "good created"
echo "what is probably not meant is a warning"
plugin open "$url" <<< 'routes: [{paths: [/health], access: PUBLIC}]' | expect 0 "open created" "Warning:" "every route is public"
echo "a broken document is refused with all its errors"
errors=("denied the request" "routes[0].acess: unknown field" "did you mean \`access\`?" "decisionLog: found")
plugin broken "$url" <<< "$broken" | expect 1 "${errors[@]}"
plugin good "$url" <<< "$broken" | expect 1 "${errors[@]}"
echo "in a TrafficExtension too"
expect 1 "${errors[@]}" <<END
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: broken, namespace: default}
spec:
  phase: AUTHN
  match: [{mode: SERVER}]
  wasm:
    url: $url
    pluginConfig:
$(sed 's/^/      /' <<< "$broken")
END
echo "a manifest with the placeholder for keys is refused"
sed /sha256:/d wasmplugin/rendered/bookinfo.yaml | expect 1 "denied the request" "jwtRules[0].jwks"
echo "other modules are none of its business"
plugin other oci://registry.example.com/other:1 <<< "$broken" | expect 0 "other created"
echo "without the webhook everything passes"
kill "$(cat "$state/pid/webhook")"
plugin broken "$url" <<< "$broken" | expect 0 "broken created"
echo "all as expected"
