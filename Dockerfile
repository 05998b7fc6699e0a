# The image that `make image` makes, for those who build with Docker: make build && docker build -t jwt-rbac .
# One layer with one file: Istio's agent reads the last layer alone, and looks for this name in it.
FROM scratch
LABEL org.opencontainers.image.title="jwt-rbac" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY target/jwt_rbac.wasm /plugin.wasm
