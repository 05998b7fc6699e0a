#!/usr/bin/env bash
# `make test-istio`: the manifests of wasmplugin/ in a real Istio (mesh.sh). The image is pushed to a registry,
# the manifests are applied with `kubectl apply -k`, and requests go through the sidecars.
#
# Run it from the root of the repository with ENVOY set and the module, the image, xtask and the command line built.
set -u
. "$(dirname "$0")/mesh.sh"
. "$here/workloads.sh"

PRODUCTPAGE=11 DETAILS=12 REVIEWS=13 INGRESS=14 CUSTOMERS=15 FRONTEND=16
failed=0

step() { printf '\n[%3ds] %s\n' "$SECONDS" "$*"; }

# status ADDRESS HOST REQUEST TOKEN [HEADER]: of a request such as "GET /details/0". 000 where there is no answer.
status() {
    local method=${3% *} path=${3#* } credential=()
    [ -z "$4" ] || credential=(--header "Authorization: Bearer $4")
    [ -z "${5:-}" ] || credential+=(--header "$5")
    [ "$method" != HEAD ] || credential+=(--head)
    curl --silent --output "$state/body" --write-out '%{http_code}' --max-time 10 --request "$method" \
        --header "Host: $2" "${credential[@]}" "http://$1$path"
}

# A workload is asked by productpage, through both sidecars, as productpage itself would.
ask() { status "127.0.2.$PRODUCTPAGE:9080" "$1.default.svc.cluster.local:9080" "$2" "${3:-}" "${4:-}"; }
page() { status "127.0.1.$INGRESS:18080" bookinfo.example.com "$1" "${2:-}"; }

# expect STATUS DESCRIPTION COMMAND…
expect() {
    local wanted=$1 what=$2 got
    shift 2
    got=$("$@")
    if [ "$got" = "$wanted" ]; then
        printf '  ok    %s  %s\n' "$got" "$what"
    else
        printf '  FAIL  %s  %s: expected %s; body: %s\n' "$got" "$what" "$wanted" "$(head -c 200 "$state/body")"
        failed=$((failed + 1))
    fi
}

# until STATUS DESCRIPTION COMMAND…: what is applied takes a moment to reach a sidecar.
until_is() {
    local wanted=$1 count
    for count in $(seq 80); do [ "$("${@:3}")" = "$wanted" ] && break; sleep 0.25; done
    expect "$@"
}

token() { "$root/target/debug/jwt-rbac" token --key "$root/testdata/keys/rs256.pem" "$@"; }

log_has() {
    local count
    for count in $(seq 40); do
        grep -q "$2" "$state/log/proxy-$1" && { printf '  ok    log of %s: %s\n' "$1" "$2"; return; }
        sleep 0.25
    done
    printf '  FAIL  log of %s lacks: %s\n' "$1" "$2"
    failed=$((failed + 1))
}

patch_plugin() { kubectl -n default patch wasmplugin "$1-jwt-rbac" --type json --patch "$2" >/dev/null || failed=$((failed + 1)); }

# Everybody's answer from everybody: anonymous, user, moderator, expired.
bookinfo_answers() {
    local caller given column=0
    printf '  %-11s %-12s %-12s %s\n' caller productpage details reviews
    for caller in anonymous user moderator expired; do
        given=${tokens[$caller]}
        printf '  %-11s %-12s %-12s %s\n' "$caller" "$(page 'GET /productpage' "$given")" \
            "$(ask details 'GET /details/0' "$given")" "$(ask reviews 'GET /reviews/0' "$given")"
    done
}

# What is applied takes a moment to reach each sidecar, and so does what is deleted: then the answers are those of the table.
bookinfo_is_guarded() {
    local count answers
    for count in $(seq 40); do
        answers=$(bookinfo_answers)
        [ "$answers" != "$wanted" ] || break
        sleep 0.25
    done
    printf '%s\n' "$answers"
    [ "$answers" = "$wanted" ] || { echo '  FAIL  expected the table above'; failed=$((failed + 1)); }
}

# The answers of details to the requests of a sample, as its requests.txt has them.
sample_answers() {
    local wanted method path caller header
    while read -r wanted method path caller header; do
        [ "$wanted" != '#' ] || continue
        echo "$(ask details "$method $path" "${sample_tokens[$caller]}" "$header") $method $path $caller $header"
    done < "$1/requests.txt"
}

# sample FOLDER FILE: applies what a sample has, and expects its answers. What is applied takes a moment.
sample() {
    local folder=$1 file=$2 wanted answers count
    sed "s|REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER|'$jwks'|; s|^  url: .*|  url: $url\n  sha256: $sha256|" "$folder/$file" > "$state/sample.yaml"
    kubectl apply -f "$state/sample.yaml" > "$state/body" || failed=$((failed + 1))
    wanted=$(sed '/^#/d; s/ *$//' "$folder/requests.txt")
    for count in $(seq 60); do
        answers=$(sample_answers "$folder" | sed 's/ *$//')
        [ "$answers" != "$wanted" ] || break
        sleep 0.25
    done
    if [ "$answers" = "$wanted" ]; then
        printf '  ok    %s requests  %s, %s\n' "$(wc -l <<<"$wanted")" "$(basename "$folder")" "$file"
    else
        printf '  FAIL  %s, %s:\n%s\n' "$(basename "$folder")" "$file" "$(diff <(echo "$wanted") <(echo "$answers"))"
        failed=$((failed + 1))
    fi
    kubectl delete -f "$state/sample.yaml" > "$state/body"
    until_is 200 "and without it everything is open" ask details 'GET /anything' ''
}

trap 'down' EXIT
trap 'exit 130' INT TERM
build
step 'an API server, istiod and a registry'
up
start echo python3 "$here/echo.py" 19080
start issuer python3 -m http.server 19081 --bind 127.0.0.1 --directory "$root/testdata"

step 'the image goes to the registry: make push'
pushed=$("$root/target/debug/xtask" push "$root/target/image" "$registry/team") || die 'the image could not be pushed'
printf '%s\n' "$pushed"
url=$(sed -n 's/^url: //p' <<<"$pushed")
sha256=$(sed -n 's/^sha256: //p' <<<"$pushed")

step 'the manifests, with that image, the test keys and secrets of our own'
cp -r "$root/wasmplugin" "$state/wasmplugin"
jwks=$(python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))))' "$root/testdata/jwks.json")
sed -i "s|^  url: .*|  url: $url|; s|REPLACE_WITH_WHAT_MAKE_PUSH_PRINTS|$sha256|; s|REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER|'$jwks'|" \
    "$state/wasmplugin/base/mesh.yaml"
for _ in 1 2 3; do sed -i "0,/REPLACE_WITH_A_SECRET_OF_YOUR_OWN/s//$(openssl rand -hex 16)/" "$state/wasmplugin/fenced/secrets.yaml"; done
for name in bookinfo fenced trafficextension customers gateway waypoint; do
    if kubectl apply --dry-run=server -k "$state/wasmplugin/$name" > "$state/body" 2>&1; then
        printf '  ok    the API server takes wasmplugin/%s\n' "$name"
    else
        printf '  FAIL  the API server refuses wasmplugin/%s: %s\n' "$name" "$(cat "$state/body")"
        failed=$((failed + 1))
    fi
done
kubectl apply --dry-run=server -k "$root/wasmplugin/bookinfo" > "$state/body" 2>&1 && {
    echo '  FAIL  the API server takes the placeholder of sha256'; failed=$((failed + 1)); }
"$root/wasmplugin/render.sh" --check || failed=$((failed + 1))

step 'workloads and their sidecars'
{
    workload productpage $PRODUCTPAGE details reviews
    workload details $DETAILS
    workload reviews $REVIEWS
    workload customers $CUSTOMERS issuer
    issuer 19081
    workload web-frontend $FRONTEND customers
    gateway $INGRESS
} | kubectl apply -f - >/dev/null || die 'the workloads could not be applied'
kubectl apply -k "$state/wasmplugin/bookinfo" >/dev/null || die 'bookinfo could not be applied'
kubectl kustomize "$state/wasmplugin/customers" | sed '0,/      paths:/s//      pahts:/' | kubectl apply -f - >/dev/null ||
    die 'customers could not be applied'
kubectl apply -k "$state/wasmplugin/gateway" >/dev/null || die 'the gateway could not be applied'
# One after the other: all agents here write the module to the same file, where each pod has its own.
for pair in "productpage $PRODUCTPAGE" "details $DETAILS" "reviews $REVIEWS" "customers $CUSTOMERS" "web-frontend $FRONTEND"; do
    # shellcheck disable=SC2086
    proxy default $pair
    wait_for "the sidecar of ${pair% *}" proxy_is_ready "${pair#* }"
done
proxy istio-system ingressgateway $INGRESS router
wait_for 'the gateway' proxy_is_ready $INGRESS

declare -A tokens=([anonymous]= )
tokens[user]=$(token --claims "$root/testdata/callers/user.json")
tokens[moderator]=$(token --claims "$root/testdata/callers/moderator.json")
tokens[expired]=$(token --claims "$root/testdata/callers/user.json" --lifetime=-1h)
customer=$(token --issuer https://tenant.auth0.com/ --audience https://customers.example.com --subject joe --permission read:customers)
stranger=$(token --issuer https://tenant.auth0.com/ --audience https://customers.example.com --subject joe --permission read:products)

step 'Bookinfo under mutual TLS: productpage behind the gateway calls the others'
until_is 200 'details, moderator' ask details 'GET /details/0' "${tokens[moderator]}"
until_is 200 'productpage, user' page 'GET /productpage' "${tokens[user]}"
until_is 403 'reviews, user' ask reviews 'GET /reviews/0' "${tokens[user]}"
wanted='  caller      productpage  details      reviews
  anonymous   200          403          403
  user        200          200          403
  moderator   200          200          200
  expired     401          401          401'
answers=$(bookinfo_answers)
printf '%s\n' "$answers"
[ "$answers" = "$wanted" ] || { echo '  FAIL  expected:'; printf '%s\n' "$wanted"; failed=$((failed + 1)); }
expect 000 'in clear text nobody is answered' status "127.0.1.$DETAILS:9080" details 'GET /health' ''

step 'the ingress gateway: its own table for each host'
expect 403 'the gateway asks for read:book-details' page 'GET /api/v1/products/0' ''
expect 200 'and a user has it' page 'GET /api/v1/products/0' "${tokens[user]}"
expect 403 'a host without routes' status "127.0.1.$INGRESS:18080" other.example.com 'GET /productpage' ''

call_customers() { status "127.0.2.$FRONTEND:9080" customers.default.svc.cluster.local:9080 'GET /' "$1"; }
step 'a document with a mistake, as the first of a workload and as an update'
until_is 500 'as the first one, nothing is let through' call_customers "$customer"
log_has customers 'pahts'
kubectl apply -k "$state/wasmplugin/customers" >/dev/null
until_is 200 'with the mistake fixed customers answers' call_customers "$customer"
bad='[{"op": "add", "path": "/spec/pluginConfig/routes/0/pahts", "value": ["/"]}]'
patch_plugin details "$bad"
log_has details 'pahts'
expect 200 'as an update, the document before goes on' ask details 'GET /details/0' "${tokens[user]}"
expect 403 'and denies what it denied' ask details 'GET /details/0' ''
patch_plugin details '[{"op": "remove", "path": "/spec/pluginConfig/routes/0/pahts"}]'

step 'web-frontend calls customers with the token of its user'
expect 200 'with read:customers' call_customers "$customer"
expect 403 'with another permission' call_customers "$stranger"
expect 403 'without a token' call_customers ''
[ "$(cat "$state/body")" = 'RBAC: access denied' ] || { echo '  FAIL  not the words of Istio'; failed=$((failed + 1)); }

step 'an image that is not there, and one with another digest'
patch_plugin customers '[{"op": "replace", "path": "/spec/url", "value": "oci://'"$registry"'/team/jwt-rbac:missing"}, {"op": "remove", "path": "/spec/sha256"}]'
until_is 403 'not there: Istio denies everything' call_customers "$customer"
log_has customers 'deny RBAC filter'
patch_plugin customers '[{"op": "replace", "path": "/spec/url", "value": "'"$url"'"}, {"op": "add", "path": "/spec/sha256", "value": "'"$(printf '0%.0s' $(seq 64))"'"}]'
sleep 3
expect 403 'another digest: Istio denies everything' call_customers "$customer"
kubectl apply -k "$state/wasmplugin/customers" >/dev/null
until_is 200 'with the right digest it answers' call_customers "$customer"

step 'keys that the filter fetches from the cluster of a ServiceEntry'
strangers=$(python3 -c 'import json, sys; print(json.dumps(json.dumps(json.load(open(sys.argv[1])))))' "$root/testdata/jwks-stranger.json")
patch_plugin customers '[{"op": "replace", "path": "/spec/pluginConfig/jwtRules/0/jwks", "value": '"$strangers"'}]'
until_is 401 'with the keys of another issuer' call_customers "$customer"
patch_plugin customers '[{"op": "remove", "path": "/spec/pluginConfig/jwtRules/0/jwks"},
    {"op": "add", "path": "/spec/pluginConfig/jwtRules/0/jwksUri", "value": "http://issuer.default.svc.cluster.local:9080/jwks.json"},
    {"op": "add", "path": "/spec/pluginConfig/jwtRules/0/allowInsecureJwks", "value": true}]'
until_is 200 'with the keys that it fetched' call_customers "$customer"
expect 403 'and it still asks for the permission' call_customers "$stranger"

step 'the fence: a workload is closed when its plugin is gone'
kubectl apply -k "$state/wasmplugin/fenced" >/dev/null
until_is 200 'behind plugin and policy' ask details 'GET /details/0' "${tokens[user]}"
sleep 2
expect 200 'a user reads details' ask details 'GET /details/0' "${tokens[user]}"
expect 403 'nobody else does' ask details 'GET /details/0' ''
kubectl -n default delete wasmplugin details-jwt-rbac >/dev/null
until_is 403 'without the plugin a user is denied' ask details 'GET /details/0' "${tokens[user]}"
expect 403 'and so is a public path' ask details 'GET /health' ''

step 'the same as TrafficExtension'
kubectl -n default delete authorizationpolicy,wasmplugin --all >/dev/null
until_is 200 'without anything details is open' ask details 'GET /details/0' ''
kubectl apply -k "$state/wasmplugin/trafficextension" >/dev/null
bookinfo_is_guarded

step 'the same as a Helm chart: helm install'
kubectl -n default delete trafficextension,peerauthentication --all >/dev/null
until_is 200 'without anything details is open' ask details 'GET /details/0' ''
until_is 200 'and so is reviews' ask reviews 'GET /reviews/0' ''
sed "s|REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER|'$jwks'|; s|^  url: .*|  url: $url|; s|^  sha256: .*|  sha256: $sha256|" \
    "$root/wasmplugin/chart/values.yaml" > "$state/values.yaml"
KUBECONFIG=$state/kubeconfig "$bin/helm" install bookinfo "$root/wasmplugin/chart" --namespace default \
    --values "$state/values.yaml" > "$state/body" || { echo "  FAIL  helm install: $(cat "$state/body")"; failed=$((failed + 1)); }
bookinfo_is_guarded
KUBECONFIG=$state/kubeconfig "$bin/helm" uninstall bookinfo --namespace default > "$state/body" ||
    { echo "  FAIL  helm uninstall: $(cat "$state/body")"; failed=$((failed + 1)); }
until_is 200 'and uninstalled, details is open again' ask details 'GET /details/0' ''
kubectl apply -k "$state/wasmplugin/trafficextension" >/dev/null
until_is 403 'with the manifests it is closed' ask details 'GET /details/0' ''

step "the same requests to Istio's own RequestAuthentication and AuthorizationPolicy"
requests=('GET /details/0' 'GET /health' 'DELETE /details/0' 'GET /other' 'GET /details/%2e%2e/health' 'GET /details/..%2fhealth')
declare -A ours=()
for caller in anonymous user moderator expired; do
    for request in "${requests[@]}"; do ours[$caller $request]=$(ask details "$request" "${tokens[$caller]}"); done
done
kubectl -n default delete trafficextension --all >/dev/null
sed "s|JWKS|$jwks|; s|WORKLOAD|details|; s|PERMISSION|read:book-details|" "$here/native.yaml" | kubectl apply -f - >/dev/null
until_is 200 'a user reads details' ask details 'GET /details/0' "${tokens[user]}"
until_is 403 'nobody else does' ask details 'GET /details/0' ''
# What differs, and the name of the difference in testdata/differences.yaml.
declare -A known=(
    ['moderator GET /details/0']='claim-names'
    ['expired DELETE /details/0']='table-before-token'
    ['expired GET /other']='table-before-token'
    ['expired GET /details/..%2fhealth']='ambiguous-path'
    ['user GET /details/..%2fhealth']='ambiguous-path'
)
for caller in anonymous user moderator expired; do
    for request in "${requests[@]}"; do
        theirs=$(ask details "$request" "${tokens[$caller]}")
        case "$theirs ${known[$caller $request]:-}" in
            "${ours[$caller $request]} "*) printf '  ok    %s  %s, %s\n' "$theirs" "$caller" "$request" ;;
            *' ') printf '  FAIL  %s  %s, %s: here %s\n' "$theirs" "$caller" "$request" "${ours[$caller $request]}"; failed=$((failed + 1)) ;;
            *) printf '  ok    %s  %s, %s: here %s (%s)\n' "$theirs" "$caller" "$request" "${ours[$caller $request]}" "${known[$caller $request]}" ;;
        esac
    done
done

step "the samples of Istio's documentation, as its resources and as a plugin of ours"
kubectl -n default delete authorizationpolicy,requestauthentication --all >/dev/null
until_is 200 'without anything details is open' ask details 'GET /anything' ''
declare -A sample_tokens=([anonymous]= )
for caller in "$root"/testdata/istio/callers/*.json; do
    sample_tokens[$(basename "$caller" .json)]=$(token --claims "$caller")
done
sample_tokens[expired]=$(token --claims "$root/testdata/istio/callers/alice.json" --lifetime=-1h)
sample_tokens[stranger]=$("$root/target/debug/jwt-rbac" token --key "$root/testdata/keys/stranger-rs256.pem" \
    --claims "$root/testdata/istio/callers/alice.json")
for folder in "$root"/testdata/istio/*/; do
    [ -f "$folder/istio.yaml" ] || continue
    sample "$folder" istio.yaml
    sample "$folder" plugin.yaml
done

step 'both at once: the filter sees the token first'
sed "s|JWKS|$jwks|; s|WORKLOAD|details|; s|PERMISSION|read:book-details|" "$here/native.yaml" | kubectl apply -f - >/dev/null
until_is 403 'details is guarded again' ask details 'GET /details/0' ''
kubectl kustomize "$state/wasmplugin/bookinfo" > "$state/both.yaml"
sed 's/^  pluginConfig:/&\n    dryRun: true/' "$state/both.yaml" | kubectl apply -f - >/dev/null
for _ in $(seq 40); do
    ask details 'GET /other' '' >/dev/null
    grep -q would_deny "$state/log/proxy-details" && break
    sleep 0.25
done
log_has details 'would_deny'
expect 200 'in dry run Istio decides, and finds the token' ask details 'GET /details/0' "${tokens[user]}"
expect 403 'and denies as before' ask details 'GET /details/0' ''
kubectl apply -f "$state/both.yaml" >/dev/null
until_is 403 'without forwardOriginalToken Istio finds nobody' ask details 'GET /details/0' "${tokens[user]}"
patch_plugin details '[{"op": "add", "path": "/spec/pluginConfig/jwtRules/0/forwardOriginalToken", "value": true}]'
until_is 200 'with it both let a user through' ask details 'GET /details/0' "${tokens[user]}"
kubectl -n default delete authorizationpolicy,requestauthentication --all >/dev/null
until_is 200 'and then the filter alone' ask details 'GET /details/0' "${tokens[moderator]}"

if [ "$failed" -gt 0 ]; then
    printf '\n%s of the checks failed; the logs of every part: %s\n' "$failed" "$state/log"
    exit 1
fi
printf '\neverything is as it should be, after %s seconds\n' "$SECONDS"
