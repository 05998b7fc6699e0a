#!/bin/sh
# Writes what the kustomizations and the chart come to, for those who apply files, and for the tests, which
# run every pluginConfig in an Envoy. `--check` compares instead. Needs kubectl and helm.
set -eu
cd "$(dirname "$0")"
to=rendered
if [ "${1:-}" = --check ]; then
    to=$(mktemp -d)
    trap 'rm -rf "$to"' EXIT
fi
for name in bookinfo fenced trafficextension customers gateway waypoint; do
    { echo "# From ../$name, by render.sh"; "${KUBECTL:-kubectl}" kustomize "$name"; } > "$to/$name.yaml"
done
helm=${HELM:-helm}
"$helm" lint --strict --quiet chart
secret=REPLACE_WITH_A_SECRET_OF_YOUR_OWN
{
    echo '# From ../chart, by render.sh: every option of a plugin is used.'
    "$helm" template bookinfo chart --set kind=TrafficExtension \
        --set image.sha256=REPLACE_WITH_WHAT_MAKE_PUSH_PRINTS --set plugins.details.fence=$secret
} > "$to/chart.yaml"
if [ "$to" != rendered ]; then
    diff -r rendered "$to" || { echo 'wasmplugin/rendered is not current: make manifests' >&2; exit 1; }
fi
