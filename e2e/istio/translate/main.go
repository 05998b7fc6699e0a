// Command translate prints what istiod makes of authorization policies: RBAC filters of Envoy.
//
// It reads a list of documents, each with `trustDomains` and `authorizationPolicies`, and writes a list of filters for
// each of them.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"istio.io/api/annotation"
	security "istio.io/api/security/v1beta1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/security/authz/builder"
	"istio.io/istio/pilot/pkg/security/trustdomain"
	"istio.io/istio/pkg/util/protomarshal"
)

type document struct {
	TrustDomains          []string `json:"trustDomains"`
	AuthorizationPolicies []policy `json:"authorizationPolicies"`
}

type policy struct {
	Name      string          `json:"name"`
	Namespace string          `json:"namespace"`
	Action    string          `json:"action"`
	DryRun    bool            `json:"dryRun"`
	Rules     json.RawMessage `json:"rules"`
}

func main() {
	if err := translateAll(); err != nil {
		fmt.Fprintln(os.Stderr, "translate:", err)
		os.Exit(1)
	}
}

func translateAll() error {
	var documents []document
	if err := json.NewDecoder(os.Stdin).Decode(&documents); err != nil {
		return err
	}
	translated := make([][]json.RawMessage, 0, len(documents))
	for number, document := range documents {
		filters, err := translate(document)
		if err != nil {
			return fmt.Errorf("document %d: %w", number, err)
		}
		translated = append(translated, filters)
	}
	return json.NewEncoder(os.Stdout).Encode(translated)
}

func translate(document document) ([]json.RawMessage, error) {
	var policies model.AuthorizationPoliciesResult
	for _, policy := range document.AuthorizationPolicies {
		translated, err := policy.resource()
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", policy.Name, err)
		}
		switch translated.Spec.Action {
		case security.AuthorizationPolicy_ALLOW:
			policies.Allow = append(policies.Allow, translated)
		case security.AuthorizationPolicy_DENY:
			policies.Deny = append(policies.Deny, translated)
		case security.AuthorizationPolicy_AUDIT:
			policies.Audit = append(policies.Audit, translated)
		default:
			return nil, fmt.Errorf("policy %s: action %s", policy.Name, translated.Spec.Action)
		}
	}
	domains := trustdomain.NewBundle(document.TrustDomains[0], document.TrustDomains[1:])
	filters := []json.RawMessage{}
	istiod := builder.New(domains, nil, policies, builder.Option{})
	if istiod == nil {
		return filters, nil
	}
	for _, filter := range istiod.BuildHTTP() {
		text, err := protomarshal.MarshalProtoNames(filter)
		if err != nil {
			return nil, err
		}
		filters = append(filters, text)
	}
	return filters, nil
}

func (policy policy) resource() (model.AuthorizationPolicy, error) {
	spec := &security.AuthorizationPolicy{}
	text, err := json.Marshal(map[string]any{"action": policy.Action, "rules": policy.Rules})
	if err != nil {
		return model.AuthorizationPolicy{}, err
	}
	if err := protomarshal.Unmarshal(text, spec); err != nil {
		return model.AuthorizationPolicy{}, err
	}
	annotations := map[string]string{annotation.IoIstioDryRun.Name: fmt.Sprint(policy.DryRun)}
	return model.AuthorizationPolicy{
		Name:        policy.Name,
		Namespace:   policy.Namespace,
		Annotations: annotations,
		Spec:        spec,
	}, nil
}
