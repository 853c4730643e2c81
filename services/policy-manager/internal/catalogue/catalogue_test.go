package catalogue_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
)

func newCatalogue(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	registry, err := policy.NewRegistry(policies.All()...)
	require.NoError(t, err)
	v, err := gateway.NewValidator(registry)
	require.NoError(t, err)
	c, err := catalogue.New(registry, v)
	require.NoError(t, err)
	return c
}

func TestEveryTypeIsDescribed(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	require.Len(t, c.All(), 35)
	icons := map[string]string{}
	for _, ty := range c.All() {
		require.NotEmpty(t, ty.Title, ty.Name)
		require.NotEmpty(t, ty.Description, ty.Name)
		require.NotEmpty(t, ty.Phases, ty.Name)
		require.NotEqual(t, "puzzle", ty.Icon, "%s has a category and an icon", ty.Name)
		require.Empty(t, icons[ty.Icon], "%s and %s look the same", ty.Name, icons[ty.Icon])
		icons[ty.Icon] = ty.Name
		require.True(t, json.Valid(ty.Schema.JSON()), ty.Name)
		require.True(t, json.Valid(ty.Defaults), ty.Name)
		require.Contains(t, ty.Docs, "Configuration", ty.Name)
	}
	limit, ok := c.Get("rate-limit")
	require.True(t, ok)
	require.Equal(t, catalogue.Traffic, limit.Category)
	require.Contains(t, limit.Phases, "inbound")
	key, _ := c.Get("api-key")
	require.True(t, key.Authenticates)
	_, ok = c.Get("rate-limits")
	require.False(t, ok)
}

func TestSecretsAreMaskedAndRestored(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	jwt, _ := c.Get("jwt")
	limit, _ := c.Get("rate-limit")
	require.True(t, jwt.HasSecrets())
	require.False(t, limit.HasSecrets())
	for name, x := range map[string]struct{ config, shown string }{
		"a secret":     {`{"secret":"sesame","issuer":["a"]}`, `{"secret":"***","issuer":["a"]}`},
		"a reference":  {`{"secret":"env:KEY"}`, `{"secret":"env:KEY"}`},
		"of Vault":     {`{"secret":"vault:secret/a#b"}`, `{"secret":"vault:secret/a#b"}`},
		"none":         {`{"jwksUrl":"https://a"}`, `{"jwksUrl":"https://a"}`},
		"empty":        {``, ``},
		"no JSON":      {`{`, `{`},
		"another type": {`{"secret":7}`, `{"secret":7}`},
	} {
		shown := jwt.Hide(json.RawMessage(x.config))
		require.Equal(t, x.shown, reorder(x.shown, string(shown)), name)
		require.Equal(t, x.config, reorder(x.config, string(jwt.Restore(shown, json.RawMessage(x.config)))), name)
	}
	require.JSONEq(t, `{"secret":"***"}`, string(jwt.Restore(json.RawMessage(`{"secret":"***"}`), json.RawMessage(`{}`))), "there is nothing to restore")
	require.JSONEq(t, `{"secret":"new"}`, string(jwt.Restore(json.RawMessage(`{"secret":"new"}`), json.RawMessage(`{"secret":"old"}`))))
}

// A secret is sent to no server that it was not given for.
func TestSecretsBelongToTheirAddress(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	ask, ok := c.Get("oauth2-introspection")
	require.True(t, ok)
	before := `{"endpoint":"https://idp.example.com/introspect","clientId":"g","clientSecret":"sesame"}`
	for url, want := range map[string]string{
		"https://IDP.example.com/other":      "sesame",
		"https://evil.example.com/other":     catalogue.Mask,
		"http://idp.example.com/introspect":  catalogue.Mask,
		"https://idp.example.com:8443/other": catalogue.Mask,
	} {
		var out struct{ ClientSecret string }
		require.NoError(t, json.Unmarshal(ask.Restore(json.RawMessage(`{"endpoint":"`+url+`","clientId":"g","clientSecret":"***"}`), json.RawMessage(before)), &out))
		require.Equal(t, want, out.ClientSecret, url)
	}
}

// reorder returns want where got is the same JSON.
func reorder(want, got string) string {
	var a, b any
	if json.Unmarshal([]byte(want), &a) == nil && json.Unmarshal([]byte(got), &b) == nil {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) == string(y) {
			return want
		}
	}
	return got
}
