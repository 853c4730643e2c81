package oauth

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ory/fosite"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func TestUserCodes(t *testing.T) {
	t.Parallel()
	code := newUserCode()
	require.Len(t, code, 9)
	want := userCode(code)
	require.Len(t, want, 8)
	for _, written := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " "), " " + code + "\n", code + "."} {
		require.Equal(t, want, userCode(written), written)
	}
	require.Empty(t, userCode("aeiou 0123 ÄÖÜ"))
	require.NotEqual(t, code, newUserCode())
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"dns:Billing.Example": "dns:billing.example", "dn: CN=a, O=b": "dn:CN=a,O=b", `dn:CN=a\, b,O=c`: `dn:CN=a\, b,O=c`, "uri:spiffe://example/billing": "uri:spiffe://example/billing",
		"ip:192.0.2.001": "", "ip:192.0.2.1": "ip:192.0.2.1", "ip:2001:DB8::1": "ip:2001:db8::1", "email:a@example.com": "email:a@example.com",
		"": "", "dns:": "", "dns:*.example": "", "billing.example": "", "uri:x": "", "email:x": "", "cn:x": "", "dn:" + strings.Repeat("x", 600): "",
	} {
		got, err := ParseSubject(text)
		require.Equal(t, want == "", err != nil, text)
		require.Equal(t, want, got, text)
	}
}

func TestMetadataOfClients(t *testing.T) {
	t.Parallel()
	may := limitsOf{Scopes: []string{"openid", "a"}, GrantTypes: []string{GrantCode, GrantRefresh, GrantDevice}, Audiences: []string{"https://api.example"}}
	take := func(doc string) (store.OAuthClient, error) {
		var c store.OAuthClient
		m, err := parseMetadata([]byte(doc))
		if err == nil {
			err = m.into(&c, may)
		}
		return c, err
	}
	c, err := take(`{"redirect_uris":["https://a.example/cb","http://127.0.0.1:8080/cb"],"client_name":" Shop ","scope":"a"}`)
	require.NoError(t, err)
	require.Equal(t, "Shop", c.Name)
	require.Equal(t, []string{"a"}, c.Scopes)
	require.Equal(t, []string{GrantCode}, c.GrantTypes)
	require.Equal(t, AuthBasic, c.AuthMethod)
	require.Equal(t, may.Audiences, c.Audiences)
	require.False(t, c.SkipConsent || c.MayIntrospect)
	_, err = take(`{"grant_types":["urn:ietf:params:oauth:grant-type:device_code","refresh_token"],"token_endpoint_auth_method":"none"}`)
	require.NoError(t, err)
	keys := `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	with := func(more string) string { return `{"redirect_uris":["https://a.example/cb"],` + more + `}` }
	c, err = take(with(`"token_endpoint_auth_method":"private_key_jwt","jwks":` + keys))
	require.NoError(t, err)
	require.JSONEq(t, keys, c.JWKS)
	for code, docs := range map[string][]string{
		"invalid_redirect_uri": {
			`{}`, `{"redirect_uris":[]}`, `{"redirect_uris":["https://*.a.example/cb"]}`, `{"redirect_uris":["http://a.example/cb"]}`, `{"redirect_uris":["https://a.example/cb#x"]}`,
			`{"redirect_uris":["https://u@a.example/cb"]}`, `{"redirect_uris":["com.example.app:/cb"]}`, `{"redirect_uris":["javascript:alert(1)"]}`, `{"redirect_uris":["/cb"]}`,
			`{"redirect_uris":["http://localhost.evil.example/cb"]}`, with(`"post_logout_redirect_uris":["http://a.example"]`),
		},
		"invalid_client_metadata": {
			`[]`, `null`, `"x"`, `{`, `{"redirect_uris":"https://a.example"}`, with(`"scope":"b"`), with(`"scope":"a a"`), with(`"grant_types":["client_credentials"]`), with(`"grant_types":["password"]`),
			with(`"grant_types":["authorization_code","authorization_code"]`), with(`"response_types":["token"]`), with(`"token_endpoint_auth_method":"client_secret_jwt"`),
			with(`"token_endpoint_auth_method":"tls_client_auth"`), with(`"token_endpoint_auth_method":"private_key_jwt"`), with(`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}`),
			with(`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://a.example/keys"`), with(`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a.example/keys","jwks":` + keys),
			with(`"token_endpoint_auth_method":"private_key_jwt","jwks":` + keys + `,"token_endpoint_auth_signing_alg":"none"`), with(`"client_uri":"javascript:x"`), with(`"logo_uri":"http://a.example"`),
			with(`"client_name":"a\u0000b"`), with(`"client_name":"` + strings.Repeat("x", 101) + `"`), with(`"contacts":["a\nb"]`), with(`"id_token_signed_response_alg":"none"`),
			with(`"request_uris":["https://a.example"]`), with(`"token_endpoint_auth_method":"none","grant_types":["authorization_code","client_credentials"]`), `{"grant_types":["refresh_token"]}`,
		},
		"invalid_software_statement": {with(`"software_statement":"x.y.z"`)},
	} {
		for _, doc := range docs {
			_, err := take(doc)
			require.Error(t, err, doc)
			require.Equal(t, code, fosite.ErrorToRFC6749Error(err).ErrorField, doc)
		}
	}
}

func TestNarrowing(t *testing.T) {
	t.Parallel()
	const issuer = "https://issuer.example"
	c := &client{OAuthClient: store.OAuthClient{Scopes: []string{"a", "b", "openid"}, Audiences: []string{"https://x.example", "https://y.example"}}}
	give := func(scopes, audience, has, is []string) (fosite.AccessRequester, error) {
		r := fosite.NewAccessRequest(newSession())
		r.SetRequestedScopes(scopes)
		r.SetRequestedAudience(audience)
		return r, narrow(r, c, &fosite.Request{GrantedScope: has, GrantedAudience: is}, issuer)
	}
	r, err := give(nil, nil, []string{"b", "c", "openid"}, []string{"https://y.example", "https://z.example"})
	require.NoError(t, err)
	require.Equal(t, fosite.Arguments{"b"}, r.GetGrantedScopes())
	require.Equal(t, fosite.Arguments{"https://y.example"}, r.GetGrantedAudience())
	r, err = give(nil, nil, nil, []string{issuer})
	require.NoError(t, err)
	require.Empty(t, r.GetGrantedAudience())
	for _, bad := range [][4][]string{
		{{"a"}, nil, {"b"}, nil},
		{{"c"}, nil, {"c"}, nil},
		{{"openid"}, nil, {"openid"}, nil},
		{nil, {"https://x.example"}, nil, {"https://y.example"}},
		{nil, {"https://z.example"}, nil, {"https://z.example"}},
		{nil, nil, nil, {"https://z.example"}},
		{nil, {issuer}, nil, {issuer}},
	} {
		_, err := give(bad[0], bad[1], bad[2], bad[3])
		require.Error(t, err, bad)
	}
}

func FuzzClientMetadata(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["https://a.example/cb"],"jwks":{"keys":[]},"contacts":["a"]}`))
	f.Add([]byte(`{"grant_types":null,"redirect_uris":[""]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := parseMetadata(doc)
		if err != nil {
			return
		}
		var c store.OAuthClient
		if m.into(&c, limitsOf{Scopes: []string{"a"}, GrantTypes: []string{GrantCode, GrantDevice}}) != nil {
			return
		}
		for _, u := range c.RedirectURIs {
			if strings.Contains(u, "*") || !strings.HasPrefix(strings.ToLower(u), "http") {
				t.Fatalf("redirect to %q", u)
			}
		}
		c.RegistrationHash = "x"
		if _, err := json.Marshal(metadataOf(c)); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzJWKS(f *testing.F) {
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	f.Add(`{"keys":[{"kty":"oct","k":"AAAA"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseJWKS(text)
		if err != nil {
			return
		}
		for _, k := range set.Keys {
			if !k.IsPublic() {
				t.Fatal("a key that is not public")
			}
		}
	})
}

func FuzzSubject(f *testing.F) {
	f.Add("dn:CN=a, O=b")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSubject(text)
		if err != nil {
			return
		}
		if again, err := ParseSubject(s); err != nil || again != s {
			t.Fatalf("%q became %q (%v)", s, again, err)
		}
	})
}
