#!/usr/bin/env bash
# A real Istio on this machine, without nodes: an API server, istiod, a registry, and one sidecar or gateway
# for each workload, all on loopback. Source it: `make test-istio` does (run.sh).
#
# Nothing redirects traffic here, as iptables does in a pod. A Sidecar resource gives each workload a
# listener of its own instead, and a ServiceEntry stands for its pods.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# Binaries are kept here between runs.
MESH=${MESH:-${XDG_CACHE_HOME:-$HOME/.cache}/jwt-rbac-istio}
bin=$MESH/bin
state=$MESH/state
registry=127.0.0.1:5055

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

kubectl() { KUBECONFIG=$state/kubeconfig "$bin/kubectl" "$@"; }

# The sources are Go modules; their go.mod files name the versions.
build() {
    build_api_server
    fetch_source istio
    compile istio '' istio.io/istio/pilot/cmd/pilot-discovery istio.io/istio/pilot/cmd/pilot-agent
    [ -x "$bin/helm" ] || GOBIN=$bin go install helm.sh/helm/v3/cmd/helm@v3.18.6
}

build_api_server() {
    fetch_source k8s etcd
    compile k8s '' k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
    compile etcd etcd go.etcd.io/etcd/server/v3
}

# fetch_source MODULE…
fetch_source() {
    command -v go >/dev/null || die 'needs Go: https://go.dev/dl'
    local module
    for module; do
        mkdir -p "$MESH/src-$module" "$bin"
        cmp -s "$here/$module.mod" "$MESH/src-$module/from.mod" || {
            cp "$here/$module.mod" "$MESH/src-$module/go.mod"
            cp "$here/$module.mod" "$MESH/src-$module/from.mod"
        }
    done
}

# compile MODULE OUTPUT PACKAGE…: unless the binaries are there already.
compile() {
    local module=$1 output=$2 package missing=
    shift 2
    for package; do [ -x "$bin/${output:-$(basename "$package")}" ] || missing=$package; done
    [ -n "$missing" ] || return 0
    say "building $* (the first time it takes minutes)"
    { printf '//go:build tools\n\npackage tools\n\n'; printf 'import _ "%s"\n' "$@"; } > "$MESH/src-$module/tools.go"
    (cd "$MESH/src-$module" && go mod tidy -e && go build -o "$bin/$output" "$@") || die "$module could not be built"
}

# Runs a program in the background: start NAME COMMAND…
start() {
    local name=$1
    shift
    "$@" > "$state/log/$name" 2>&1 &
    echo $! > "$state/pid/$name"
}

wait_for() {
    local what=$1 count
    shift
    for count in $(seq 240); do "$@" >/dev/null 2>&1 && return 0; sleep 0.5; done
    die "$what is not there after two minutes; logs: $state/log"
}

# An API server and its etcd, whose files are in $state: start_api_server PORT_OF_ETCD PORT_OF_ITS_PEERS PORT
start_api_server() {
    local etcd=http://127.0.0.1:$1 peers=http://127.0.0.1:$2 port=$3
    mkdir -p "$state"/{log,pid,certs,etcd}
    openssl genrsa -out "$state/sa.key" 2048 2>/dev/null
    openssl rsa -in "$state/sa.key" -pubout -out "$state/sa.pub" 2>/dev/null
    echo 'admin,admin,admin,"system:masters"' > "$state/tokens.csv"
    cat > "$state/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: "https://127.0.0.1:$port", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: admin}}]
contexts: [{name: local, context: {cluster: local, user: admin}}]
current-context: local
END
    start etcd "$bin/etcd" --data-dir "$state/etcd" --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
        --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" --initial-cluster "default=$peers"
    # Loopback can't be advertised, and nobody asks there.
    start apiserver "$bin/kube-apiserver" --etcd-servers "$etcd" \
        --bind-address 127.0.0.1 --advertise-address 10.10.10.10 --secure-port "$port" --cert-dir "$state/certs" \
        --service-account-key-file "$state/sa.pub" --service-account-signing-key-file "$state/sa.key" \
        --service-account-issuer https://kubernetes.default.svc \
        --api-audiences https://kubernetes.default.svc,istio-ca --token-auth-file "$state/tokens.csv" \
        --authorization-mode RBAC --service-cluster-ip-range 10.96.0.0/16 \
        --disable-admission-plugins ServiceAccount
    wait_for 'the API server' kubectl get --raw /readyz
}

up() {
    command -v docker-registry >/dev/null || die 'needs docker-registry (Debian: apt-get install docker-registry)'
    # Istio's agent keeps modules there, and nowhere else.
    mkdir -p /var/lib/istio/data 2>/dev/null && [ -w /var/lib/istio/data ] ||
        die 'needs /var/lib/istio/data to be writable: sudo install -d -o "$USER" /var/lib/istio/data'
    rm -rf "$state"
    mkdir -p "$state"/{log,pid,registry}
    cd "$state" || exit 1
    # No providers: upstream Envoy lacks the filter of Istio's own metrics.
    cat > mesh.yaml <<'END'
defaultConfig: {discoveryAddress: "127.0.0.1:15012"}
defaultProviders: {}
trustDomain: cluster.local
END
    cat > registry.yaml <<END
version: 0.1
storage: {filesystem: {rootdirectory: $state/registry}}
http: {addr: "$registry"}
END
    start registry docker-registry serve registry.yaml
    start_api_server 12379 12380 16443
    istio=$(cd "$MESH/src-istio" && go list -m -f '{{.Dir}}' istio.io/istio)
    kubectl apply --server-side -f "$istio/manifests/charts/base/files/crd-all.gen.yaml" > log/crds
    kubectl create namespace istio-system >/dev/null
    kubectl get namespace default >/dev/null 2>&1 || kubectl create namespace default >/dev/null
    # What upstream Envoy lacks, istiod must not send.
    start istiod env PILOT_ENABLE_METADATA_EXCHANGE=false PILOT_ENABLE_TELEMETRY_LABEL=false \
        PILOT_ENDPOINT_TELEMETRY_LABEL=false PILOT_ENABLE_ALPN_FILTER=false \
        POD_NAME=istiod-0 POD_NAMESPACE=istio-system ISTIOD_CUSTOM_HOST=127.0.0.1,localhost \
        "$bin/pilot-discovery" discovery --kubeconfig "$state/kubeconfig" --meshConfig mesh.yaml \
        --networksConfig none.yaml --httpsAddr "" --grpcAddr 127.0.0.1:15010 \
        --secureGRPCAddr 127.0.0.1:15012 --httpAddr 127.0.0.1:15080 --monitoringAddr 127.0.0.1:15014
    wait_for istiod curl --silent --fail 127.0.0.1:15080/ready
    wait_for "istiod's root certificate" kubectl -n istio-system get configmap istio-ca-root-cert
}

# proxy NAMESPACE NAME NUMBER [router]: a sidecar (or gateway) with the labels app=NAME and istio=NAME.
proxy() {
    local namespace=$1 name=$2 number=$3 role=${4:-sidecar} directory=$state/proxy-$2
    mkdir -p "$directory"/var/run/secrets/{tokens,istio} "$directory"/etc/istio/{proxy,pod}
    kubectl -n "$namespace" create serviceaccount "$name" >/dev/null
    kubectl -n "$namespace" create token "$name" --audience istio-ca > "$directory/var/run/secrets/tokens/istio-token"
    kubectl -n istio-system get configmap istio-ca-root-cert -o 'jsonpath={.data.root-cert\.pem}' \
        > "$directory/var/run/secrets/istio/root-cert.pem"
    (
        cd "$directory" || exit 1
        start "proxy-$name" env POD_NAME="$name-1" POD_NAMESPACE="$namespace" SERVICE_ACCOUNT="$name" \
            INSTANCE_IP="127.0.1.$number" ISTIO_META_CLUSTER_ID=Kubernetes ISTIO_META_INTERCEPTION_MODE=NONE \
            ISTIO_METAJSON_LABELS="{\"app\":\"$name\",\"istio\":\"$name\"}" ISTIO_META_WORKLOAD_NAME="$name" \
            TRUST_DOMAIN=cluster.local CA_ADDR=127.0.0.1:15012 ISTIOD_SAN=istiod.istio-system.svc \
            WASM_INSECURE_REGISTRIES="$registry" \
            ENVOY_STATUS_PORT=$((15120 + number)) ENVOY_PROMETHEUS_PORT=$((15190 + number)) \
            PROXY_CONFIG="{\"discoveryAddress\":\"127.0.0.1:15012\",\"binaryPath\":\"$ENVOY\",\"proxyAdminPort\":$((15300 + number)),\"statusPort\":$((15220 + number)),\"concurrency\":1,\"proxyBootstrapTemplatePath\":\"$istio/tools/packaging/common/envoy_bootstrap.json\"}" \
            "$bin/pilot-agent" proxy "$role" --domain "$namespace.svc.cluster.local" \
            --proxyLogLevel=warning --log_output_level=wasm:debug
    )
}

proxy_is_ready() { curl --silent --fail "127.0.0.1:$((15300 + $1))/ready"; }

down() {
    local file pid count
    for file in "$state"/pid/proxy-* "$state"/pid/*; do
        [ -f "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null
        for count in $(seq 40); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
        kill -9 "$pid" 2>/dev/null
        rm -f "$file"
    done
    return 0
}
