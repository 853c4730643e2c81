package revision_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
)

func TestCredentialsOfUpstreamsGoNowhereElse(t *testing.T) {
	t.Parallel()
	type up = unit.Upstream
	make := func(change func(*up)) []up {
		u := up{Name: "a", Targets: []unit.Target{{URL: "https://orders:1/x"}}, Auth: &unit.Auth{Basic: &unit.BasicAuth{Username: "lena", Password: "hunter2"}}}
		if change != nil {
			change(&u)
		}
		return []up{u}
	}
	before := make(nil)
	for name, x := range map[string]struct {
		change func(*up)
		kept   bool
	}{
		"nothing":          {nil, true},
		"another path":     {func(u *up) { u.Targets[0].URL = "https://Orders:1/y" }, true},
		"another target":   {func(u *up) { u.Targets = append(u.Targets, unit.Target{URL: "https://evil:1"}) }, false},
		"without TLS":      {func(u *up) { u.Targets[0].URL = "http://orders:1/x" }, false},
		"not verified":     {func(u *up) { u.TLS = &unit.TLS{InsecureSkipVerify: true} }, false},
		"another user":     {func(u *up) { u.Auth.Basic.Username = "root" }, false},
		"another upstream": {func(u *up) { u.Name = "b" }, false},
		"another way":      {func(u *up) { u.Auth = &unit.Auth{Bearer: revision.Mask} }, false},
	} {
		shown := revision.MaskKeys(make(x.change))
		require.Equal(t, revision.Mask, *shown[0].Auth.Secret(), name)
		revision.KeepKeys(shown, before)
		if x.kept {
			require.Equal(t, "hunter2", shown[0].Auth.Basic.Password, name)
			continue
		}
		require.Equal(t, revision.Mask, *shown[0].Auth.Secret(), name)
		d := revision.Draft{Name: "x", Upstreams: shown}
		require.Contains(t, d.Check()[0].Detail, "give the secret again", name)
	}
	require.Equal(t, "hunter2", before[0].Auth.Basic.Password, "what is masked is a copy")
	ref := make(func(u *up) { u.Auth.Basic.Password = "vault:secret/a#b" })
	require.Equal(t, ref, revision.MaskKeys(ref), "a reference is no secret")
	both := revision.MaskKeys(make(func(u *up) { u.Auth.Bearer = "sesame" }))
	require.NotContains(t, both[0].Auth.Bearer, "sesame", "two are refused, and not shown either")
}

func TestCredentialsOfUpstreamsAreChecked(t *testing.T) {
	t.Parallel()
	allowed := []string{"vault:secret/tenants/acme/"}
	for pointer, u := range map[string]unit.Upstream{
		"/auth":                {Auth: &unit.Auth{}},
		"/auth ":               {Auth: &unit.Auth{Bearer: "x", Header: &unit.HeaderAuth{Name: "X-Key", Value: "x"}}},
		"/auth/basic/username": {Auth: &unit.Auth{Basic: &unit.BasicAuth{Username: "a:b", Password: "x"}}},
		"/auth/basic/password": {Auth: &unit.Auth{Basic: &unit.BasicAuth{Username: "a"}}},
		"/auth/bearer":         {Auth: &unit.Auth{Bearer: "a\nb"}},
		"/auth/bearer ":        {Auth: &unit.Auth{Bearer: "env:HOME"}},
		"/auth/header/name":    {Auth: &unit.Auth{Header: &unit.HeaderAuth{Name: "host", Value: "x"}}},
		"/auth/header/value":   {Auth: &unit.Auth{Header: &unit.HeaderAuth{Name: "X-Key", Value: "vault:secret/tenants/other/a#b"}}},
		"/tls/key":             {TLS: &unit.TLS{Certificate: "vault:secret/tenants/acme/tls#c", Key: "file:/etc/shadow"}},
		"/tls/certificate":     {TLS: &unit.TLS{Certificate: "vault:secret/tenants/acme#c", Key: "k"}},
		"":                     {TLS: &unit.TLS{Certificate: "vault:secret/tenants/acme/t#c", Key: "vault:secret/tenants/acme/t#k"}, Auth: &unit.Auth{Bearer: "vault:secret/tenants/acme/t#b"}},
	} {
		u.Name, u.Targets = "a", []unit.Target{{URL: "https://u:1"}}
		d := revision.Draft{Name: "x", Upstreams: []unit.Upstream{u}}
		fields := append(d.Check(), d.CheckReferences(allowed)...)
		if pointer == "" {
			require.Empty(t, fields)
			continue
		}
		require.Len(t, fields, 1, pointer)
		require.Equal(t, "/upstreams/0"+strings.TrimSpace(pointer), fields[0].Pointer)
	}
}
