#!/bin/sh
# Runs each fuzz target for so many seconds, and says how many inputs were tried. What is found is in
# fuzz/corpus; an input that fails is in fuzz/artifacts, and goes to fuzz/seeds once it is fixed.
#   fuzz/run.sh SECONDS [TARGET…]
set -eu
cd "$(dirname "$0")"
seconds=${1:?how many seconds for each target}
shift
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo 'fuzz: needs a nightly toolchain and cargo-fuzz:' >&2
    echo '  rustup toolchain install nightly --profile minimal && cargo install cargo-fuzz --locked' >&2
    exit 1
fi
[ $# -gt 0 ] || set -- $(ls targets | sed 's/\.rs$//')
# The decision has no unsafe code, so no sanitizer has to watch it: without one, it is several times faster.
cargo +nightly fuzz build --sanitizer none
total=0
for target; do
    log=$(mktemp)
    mkdir -p "corpus/$target"
    if ! cargo +nightly fuzz run --sanitizer none "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        >"$log" 2>&1; then
        tail -40 "$log" >&2
        echo "fuzz: $target failed; the input is in fuzz/artifacts/$target" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rm "$log"
    total=$((total + executions))
    printf '%-14s %12d inputs, none of them wrong\n' "$target" "$executions"
done
printf '%-14s %12d inputs\n' 'all targets' "$total"
