#!/bin/sh
# Builds the module from the committed files on another path, with another home of Cargo, and fails
# unless it is the one in target/, byte for byte.
set -eu
cd "$(dirname "$0")/.."
cargo_home=${CARGO_HOME:-$HOME/.cargo}
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
sources=$elsewhere/a/path/that/is/longer
mkdir -p "$sources" "$elsewhere/cargo/registry"
git ls-files -z | tar --null --files-from - --create | tar --extract --directory "$sources"
# What was downloaded is not downloaded again.
for part in config.toml registry/cache registry/index; do
    [ ! -e "$cargo_home/$part" ] || cp -R "$cargo_home/$part" "$elsewhere/cargo/$part"
done
CARGO_HOME=$elsewhere/cargo CARGO_TARGET_DIR=$sources/target make -C "$sources" build
if ! cmp target/jwt_rbac.wasm "$sources/target/jwt_rbac.wasm"; then
    echo 'reproducible: the module depends on where it is built' >&2
    exit 1
fi
sha256sum target/jwt_rbac.wasm
