#!/bin/sh
# Installs what the workloads of `make test-workloads` need: Flask and gunicorn into .venv, Express
# beside its program, and the Go program into target/.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

need() {
    command -v "$1" >/dev/null 2>&1 && return
    printf 'install.sh: the workloads need %s, and there is no %s: %s\n' "$2" "$1" "$3" >&2
    exit 1
}

need python3 'Python 3 with its module venv' 'Debian: apt-get install python3-venv'
need node 'Node.js 18 or later' 'https://nodejs.org'
need npm 'npm' 'https://nodejs.org'
need go 'Go 1.24 or later' 'https://go.dev/dl'

[ -x "$root/.venv/bin/python" ] || python3 -m venv "$root/.venv"
"$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement "$here/flask/requirements.txt"
(cd "$here/express" && npm ci --silent --no-audit --no-fund)
(cd "$here/go" && go build -o "$root/target/workloads/go" .)
