// What the page can begin with. Each is decided by a test.
const SAMPLES = [
  {
    name: "Orders of a customer",
    document: `jwtRules:
- issuer: https://tenant.auth0.com/
  audiences: [https://api.example.com]
  jwks: REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER
  roleClaims: [roles]
  rolePermissions:
    clerk: [read:orders]
    chief: [read:orders, write:orders]
routes:
- name: read-orders
  paths: ["/customers/{customer}/orders/{**}"]
  methods: [GET]
  permissions: [read:orders]
  claims: [{claim: customer, pathVariable: customer}]
- name: write-orders
  paths: ["/customers/{customer}/orders/{**}"]
  methods: [POST, PUT, DELETE]
  permissions: [write:orders]
  claims: [{claim: customer, pathVariable: customer}]
- {name: health, paths: [/health], access: PUBLIC}
`,
    callers: `clerk: {roles: [clerk], customer: acme}
chief: {roles: [chief], customer: acme}
other: {roles: [clerk], customer: other}
expired: {roles: [clerk], customer: acme, exp: now-3600}
`,
    sender: "other",
    request: "GET /customers/acme/orders/7",
  },
  {
    name: "Keycloak, two hosts",
    document: `jwtRules:
- issuer: https://id.example.com/realms/shop
  audiences: [shop]
  jwksUri: https://id.example.com/realms/shop/protocol/openid-connect/certs
  roleClaims: ["[realm_access][roles]"]
  rolePermissions:
    editor: [articles:read, articles:write]
    reader: [articles:read]
routes:
- name: read
  hosts: [api.example.com]
  paths: ["/articles/{id}"]
  methods: [GET]
  permissions: [articles:read]
- name: write
  hosts: [api.example.com]
  paths: ["/articles/{id}"]
  methods: [PUT]
  permissions: [articles:write]
- name: site
  hosts: [www.example.com]
  paths: ["/{**}"]
  access: PUBLIC
  token: OPTIONAL
`,
    callers: `reader: {realm_access: {roles: [reader]}}
editor: {realm_access: {roles: [editor]}}
`,
    sender: "reader",
    request: "PUT https://api.example.com/articles/7",
  },
  {
    name: "A document with mistakes",
    document: `jwtRules:
- issuer: https://tenant.auth0.com/
  audience: [https://api.example.com]
  jwks: REPLACE_WITH_THE_KEY_SET_OF_YOUR_ISSUER
  roleClaims: [roles]
  rolePermissions:
    clerk: [read:order]
routes:
- name: orders
  paths: /orders/{id}
  method: [GET]
  permissions: [read:orders]
`,
    callers: "clerk: {roles: [clerk]}\n",
    sender: "clerk",
    request: "GET /orders/7",
  },
];
