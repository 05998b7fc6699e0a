# Prints the resources that stand for Services and pods: sourced by run.sh.

# workload NAME NUMBER [CALLED…]: what comes in goes to the program on port 19080, and what it calls goes out
# at 127.0.2.NUMBER.
workload() {
    local name=$1 number=$2 called
    shift 2
    cat <<END
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: $name, namespace: default}
spec:
  hosts: [$name.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}]
  endpoints:
  - address: 127.0.1.$number
    serviceAccount: $name
    labels: {app: $name, security.istio.io/tlsMode: istio}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: $name, namespace: default}
spec:
  workloadSelector: {labels: {app: $name}}
  ingress:
  - port: {number: 9080, name: http, protocol: HTTP}
    bind: 127.0.1.$number
    captureMode: NONE
    defaultEndpoint: 127.0.0.1:19080
  egress:
  - bind: 127.0.2.$number
    port: {number: 9080, name: http, protocol: HTTP}
    captureMode: NONE
    hosts:
END
    [ $# -gt 0 ] || echo '    - "~/*"'
    for called; do echo "    - default/$called.default.svc.cluster.local"; done
}

# The issuer, which serves its keys at a port of this machine. Its own port is that of the listener of customers: Istio
# makes no cluster for others here.
issuer() {
    cat <<END
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: issuer, namespace: default}
spec:
  hosts: [issuer.default.svc.cluster.local]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: $1}}]
END
}

# The ingress gateway, on port 18080, for every host: productpage is behind it.
gateway() {
    cat <<END
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 18080, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.1.$1}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ingress, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [ingress]
  http:
  - route: [{destination: {host: productpage.default.svc.cluster.local, port: {number: 9080}}}]
END
}
