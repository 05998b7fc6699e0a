# Two commands do all the set-up: `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help build image push run try test test-image test-differential test-workloads test-reproducible fuzz lint docs deny bench bench-all bench-tools costs flood many-tokens rotate soak clean manifests test-istio test-webhook dist test-compat test-observability test-page test-key-cache simulate-refresh

# So that the module is the same wherever it is built: messages of panics name files of other crates.
CARGO_HOME ?= $(HOME)/.cargo
NO_PATHS = --config 'target.wasm32-wasip1.rustflags=["--remap-path-prefix=$(CARGO_HOME)/registry/src/="]'

# The last of each minor that PyPI has with Wasm: those of Istio 1.28 to 1.31, and the newest.
ENVOYS ?= 1.36.4 1.37.0 1.38.2 1.39.3 1.40.0
# The machine that this runs on, for which a release has the command line.
HOST = $(shell rustc --version --verbose | sed -n 's/^host: //p')
HOST_NO_PATHS = --config 'target.$(HOST).rustflags=["--remap-path-prefix=$(CARGO_HOME)/registry/src/="]'
# Where `make test-istio` keeps what it builds of Istio.
MESH ?= $(HOME)/.cache/jwt-rbac-istio

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the filter, target/jwt_rbac.wasm
	@command -v rustup >/dev/null || { echo 'make: needs Rust with rustup: https://rustup.rs' >&2; exit 1; }
	@test -d "$(or $(CARGO_TARGET_DIR),target)/wasm32-wasip1/release" || echo 'make: the first build compiles every dependency: some minutes' >&2
	rustup target add wasm32-wasip1
	cargo build --locked --release --package jwt-rbac-filter --target wasm32-wasip1 $(NO_PATHS)
	cargo run --locked --quiet --package jwt-rbac-xtask -- trim \
		$(or $(CARGO_TARGET_DIR),target)/wasm32-wasip1/release/jwt_rbac_filter.wasm target/jwt_rbac.wasm

image: build ## Make the OCI image of the module, target/image (SOURCE=https://… names its source)
	cargo run --locked --quiet --package jwt-rbac-xtask -- image target/jwt_rbac.wasm target/image

push: image ## Push the image: make push REGISTRY=registry.example.com/team (needs skopeo)
	@test -n "$(REGISTRY)" || { echo 'make: push to where? make push REGISTRY=registry.example.com/team' >&2; exit 1; }
	cargo run --locked --quiet --package jwt-rbac-xtask -- push target/image "$(REGISTRY)"

dist: build ## Make the files of a release in target/dist (IMAGE=registry/jwt-rbac, SOURCE=https://…)
	cargo build --locked --release --package jwt-rbac-cli --target $(HOST) $(HOST_NO_PATHS)
	cargo run --locked --quiet --package jwt-rbac-xtask -- dist target/jwt_rbac.wasm \
		$(or $(CARGO_TARGET_DIR),target)/$(HOST)/release/jwt-rbac $(HOST) target/dist

run: build ## Run Bookinfo behind the filter in a local Envoy and show who may do what
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --package jwt-rbac-e2e --bin bookinfo

try: build ## Try routes of your own in a local Envoy: make try CONFIG=my-routes.yaml (RESOURCE=its-name)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --quiet --package jwt-rbac-cli -- try \
		$(if $(CONFIG),'$(CONFIG)' $(if $(RESOURCE),--resource '$(RESOURCE)'),wasmplugin/rendered/bookinfo.yaml --resource details-jwt-rbac)

.PHONY: playground-page playground
playground-page: ## Build the playground, target/playground/index.html, which needs no server
	rustup target add wasm32-unknown-unknown
	cargo build --locked --release --package jwt-rbac-playground --target wasm32-unknown-unknown
	cargo run --locked --quiet --package jwt-rbac-xtask -- playground playground/page \
		$(or $(CARGO_TARGET_DIR),target)/wasm32-unknown-unknown/release/jwt_rbac_playground.wasm target/playground

playground: playground-page ## Build the playground and serve it on this machine (PORT=8000)
	@echo 'http://127.0.0.1:$(or $(PORT),8000); Ctrl-C ends it'
	@python3 -m http.server --bind 127.0.0.1 --directory target/playground $(or $(PORT),8000)

test: image ## Run every test: unit, property and end-to-end in a real Envoy
	ENVOY="$$(e2e/envoy.sh)" cargo test --locked --workspace

test-image: image ## Push to a registry, pull, and run what came out (needs docker-registry, skopeo, buildah)
	ENVOY="$$(e2e/envoy.sh)" cargo test --locked --package jwt-rbac-e2e --test image -- --include-ignored

test-page: build playground-page ## Look at the page of `make run` and at the playground in a real browser (needs chromium)
	ENVOY="$$(e2e/envoy.sh)" cargo test --locked --package jwt-rbac-e2e --test bookinfo_page -- --include-ignored
	cargo test --locked --package jwt-rbac-playground --test browser -- --include-ignored

test-istio: image ## Apply the manifests to a real Istio on this machine (needs go, docker-registry, skopeo; minutes)
	cargo build --locked --package jwt-rbac-cli --package jwt-rbac-xtask
	ENVOY="$$(e2e/envoy.sh)" KUBECTL=$(MESH)/bin/kubectl HELM=$(MESH)/bin/helm MESH=$(MESH) e2e/istio/run.sh

test-key-cache: ## Run the cache of the issuer's keys in a real nginx (needs nginx)
	PATH=$$PATH:/usr/sbin cargo test --locked --package jwt-rbac-e2e --test key_cache -- --include-ignored

test-observability: build ## Run the dashboard and the alerts against a real Prometheus (needs prometheus, promtool)
	@command -v prometheus promtool >/dev/null || { echo 'make: needs prometheus and promtool: apt-get install prometheus' >&2; exit 1; }
	promtool check rules observability/alerts.yaml
	promtool test rules observability/alerts.test.yaml
	@# UPDATE_DOCS=1 writes docs/dashboard.svg.
	ENVOY="$$(e2e/envoy.sh)" cargo test --locked --package jwt-rbac-e2e --test observability -- --include-ignored --nocapture

test-webhook: ## Apply broken and good documents to a real API server with the admission webhook (needs go; minutes)
	cargo build --locked --package jwt-rbac-cli
	MESH=$(MESH) e2e/istio/webhook.sh

test-compat: image ## Run the end-to-end tests in each minor of Envoy that Istio 1.28 and later have (ENVOYS="1.38.2")
	set -e; for version in $(ENVOYS); do echo "Envoy $$version"; ENVOY="$$(ENVOY_VERSION=$$version e2e/envoy.sh)" \
		cargo test --locked --package jwt-rbac-e2e --no-fail-fast; done

test-differential: build ## Compare with the native pair at random: make test-differential N=1000 SEED=7 (documents of 100 requests)
	ENVOY="$$(e2e/envoy.sh)" SEED="$(SEED)" DOCUMENTS="$(N)" cargo test --locked --package jwt-rbac-e2e \
		--test differential -- --nocapture

.PHONY: test-translation
test-translation: ## Compare the native pair of the tests with istiod's own translation (needs Go; N=500 SEED=7, UPDATE=1)
	TRANSLATOR="$$(e2e/istio/translator.sh)" ENVOY="$$(e2e/envoy.sh)" SEED="$(SEED)" DOCUMENTS="$(N)" \
		UPDATE="$(UPDATE)" cargo test --locked --package jwt-rbac-e2e --test differential -- --nocapture istiod

test-workloads: build ## Put programs on Flask, Express and Go behind the filter (needs node, npm, go)
	e2e/workloads/install.sh
	ENVOY="$$(e2e/envoy.sh)" cargo test --locked --package jwt-rbac-e2e --test frameworks -- --include-ignored

test-reproducible: build ## Build the filter once more, on another path, and compare
	xtask/reproducible.sh

fuzz: ## Feed every parser with what libFuzzer finds: make fuzz T=60 (seconds; needs nightly and cargo-fuzz)
	fuzz/run.sh $(or $(T),60)

lint: ## Check formatting and lints, as CI does
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --package jwt-rbac --package jwt-rbac-config --package jwt-rbac-host \
		--package jwt-rbac-filter --package jwt-rbac-floor --package jwt-rbac-vectors --lib \
		--target wasm32-wasip1 -- -D warnings

docs: ## Write what is generated in the docs: the tables and the JSON Schema
	UPDATE_DOCS=1 cargo test --locked --package jwt-rbac-e2e --test readme -- the_tables
	UPDATE_DOCS=1 cargo test --locked --package jwt-rbac-e2e --test reference -- the_tables the_schema_is

manifests: ## Write wasmplugin/rendered from the kustomizations and the chart (needs kubectl, helm)
	wasmplugin/render.sh

deny: ## Check the licences and sources of the dependencies (needs cargo-deny)
	cargo deny --locked --workspace check --hide-inclusion-graph licenses bans sources

bench: build ## Measure requests and loading, beside Envoy's native filters (needs wrk; BESIDE=other.wasm)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin bench -- \
		$(if $(BESIDE),--beside $(BESIDE))

bench-all: build ## Measure many more cases, latencies and memory (needs wrk; a quarter of an hour)
	@# ONLY=refused measures the refused requests alone, ONLY="seen, jwt-rbac" one listener.
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin bench -- --all \
		$(if $(ONLY),--only "$(ONLY)")

bench-tools: ## Measure how long check and test take with 10,000 routes and 10,000 tests
	cargo run --locked --release --package jwt-rbac-bench --bin tools

costs: build ## Measure what each step of a request costs, and write docs/costs.md (needs wrk)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin costs

flood: build ## Measure what the decision log costs under a flood of denials
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin flood

.PHONY: worst
worst: build ## Search the refused request that costs most, and measure it (STEPS=… for a shorter search)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin worst -- $(STEPS)

many-tokens: build ## Send a million different tokens, and check that memory does not grow (TOKENS=… for fewer)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin many_tokens -- $(TOKENS)

soak: build ## Good and hostile requests under changing documents for ten minutes (SECONDS=… for less)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin soak -- $(SECONDS)

rotate: build ## Rotate an issuer's keys under load, and check every answer (SECONDS=… for less than two minutes)
	ENVOY="$$(e2e/envoy.sh)" cargo run --locked --release --package jwt-rbac-bench --bin rotate -- $(SECONDS)

simulate-refresh: ## Show how often the proxies of a large mesh ask an issuer for its keys
	cargo run --locked --release --package jwt-rbac-bench --bin simulate_refresh

clean: ## Remove what was built, and the local Envoy
	cargo clean
	rm -rf .venv
