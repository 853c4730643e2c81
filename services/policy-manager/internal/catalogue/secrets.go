package catalogue

import (
	"encoding/json"
	"strings"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// Mask is what stands for a secret in an answer.
const Mask = "***"

// Hide returns a configuration with its secrets masked. References such as
// env:NAME are none, and stay.
func (t *Type) Hide(config json.RawMessage) json.RawMessage {
	return t.rewrite(config, nil, func(now string, _ any) any {
		if now == "" || strings.HasPrefix(now, "env:") || strings.HasPrefix(now, "file:") {
			return now
		}
		return Mask
	})
}

// Restore returns a configuration that was shown and handed back: with masked
// secrets as they were before. A mask where there was nothing stays.
func (t *Type) Restore(config, before json.RawMessage) json.RawMessage {
	var was any
	if json.Unmarshal(before, &was) != nil {
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
