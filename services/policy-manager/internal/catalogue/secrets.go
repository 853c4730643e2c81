package catalogue

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Mask is what stands for a secret in an answer.
const Mask = "***"

// Hide returns a configuration with its secrets masked. References such as
// vault:mount/path#field are none, and stay.
func (t *Type) Hide(config json.RawMessage) json.RawMessage {
	return t.rewrite(config, nil, func(now string, _ any) any {
		if now == "" || reference.Is(now) {
			return now
		}
		return Mask
	})
}

// Restore returns a configuration that was shown and handed back: with masked
// secrets as they were before. A mask where there was nothing stays, for the check
// to refuse; so it does where the configuration has an address at another server
// than before, which would be sent what was given for the one before.
func (t *Type) Restore(config, before json.RawMessage) json.RawMessage {
	var now, was any
	if json.Unmarshal(before, &was) != nil || json.Unmarshal(config, &now) != nil {
		return config
	}
	known := map[string]bool{}
	addresses(t.Schema.Node(), was, func(origin string) { known[origin] = true })
	elsewhere := false
	addresses(t.Schema.Node(), now, func(origin string) { elsewhere = elsewhere || !known[origin] })
	if elsewhere {
		return config
	}
	return t.rewrite(config, was, func(now string, was any) any {
		if old, ok := was.(string); ok && now == Mask {
			return old
		}
		return now
	})
}

// HasSecrets says whether a configuration of the type may hold a secret.
func (t *Type) HasSecrets() bool { return hasSecrets(t.Schema.Node()) }

func hasSecrets(n *schema.Node) bool {
	if n == nil {
		return false
	}
	if n.WriteOnly || hasSecrets(n.Items) || n.AdditionalProperties != nil && hasSecrets(n.AdditionalProperties.Node) {
		return true
	}
	for _, p := range n.Properties {
		if hasSecrets(p) {
			return true
		}
	}
	for _, list := range [][]*schema.Node{n.AllOf, n.AnyOf, n.OneOf} {
		for _, m := range list {
			if hasSecrets(m) {
				return true
			}
		}
	}
	return false
}

// rewrite replaces the secrets of a configuration. What is no JSON stays, for
// the check to refuse.
func (t *Type) rewrite(config json.RawMessage, was any, replace func(now string, was any) any) json.RawMessage {
	if len(config) == 0 || !t.HasSecrets() {
		return config
	}
	var now any
	if json.Unmarshal(config, &now) != nil {
		return config
	}
	out, err := json.Marshal(walk(t.Schema.Node(), now, was, replace))
	if err != nil {
		return config
	}
	return out
}

// addresses calls f with scheme and host of every address in a configuration.
func addresses(n *schema.Node, v any, f func(origin string)) {
	var visit func(n *schema.Node, v any)
	visit = func(n *schema.Node, v any) {
		if n == nil {
			return
		}
		switch v := v.(type) {
		case string:
			if n.Format == "uri" || n.Format == "http-url" {
				u, err := url.Parse(v)
				if err != nil {
					f(v)
					return
				}
				f(strings.ToLower(u.Scheme + "://" + u.Host))
			}
		case []any:
			for _, e := range v {
				visit(n.Items, e)
			}
		case map[string]any:
			for k, e := range v {
				below := n.Properties[k]
				if below == nil && n.AdditionalProperties != nil {
					below = n.AdditionalProperties.Node
				}
				visit(below, e)
			}
		}
		for _, list := range [][]*schema.Node{n.AllOf, n.AnyOf, n.OneOf} {
			for _, m := range list {
				visit(m, v)
			}
		}
	}
	visit(n, v)
}

func walk(n *schema.Node, now, was any, replace func(string, any) any) any {
	if n == nil {
		return now
	}
	switch v := now.(type) {
	case string:
		if n.WriteOnly {
			return replace(v, was)
		}
	case []any:
		old, _ := was.([]any)
		for i := range v {
			var w any
			if i < len(old) {
				w = old[i]
			}
			v[i] = walk(n.Items, v[i], w, replace)
		}
	case map[string]any:
		old, _ := was.(map[string]any)
		for k := range v {
			below := n.Properties[k]
			if below == nil && n.AdditionalProperties != nil {
				below = n.AdditionalProperties.Node
			}
			v[k] = walk(below, v[k], old[k], replace)
		}
	}
	for _, list := range [][]*schema.Node{n.AllOf, n.AnyOf, n.OneOf} {
		for _, m := range list {
			now = walk(m, now, was, replace)
		}
	}
	return now
}
