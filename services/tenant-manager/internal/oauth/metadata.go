package oauth

import (
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"github.com/gatehouse/gatehouse/libs/dpop"
)

// assertionAlgorithms are those that clients may sign assertions with.
var assertionAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}

// metadata describes the issuer (RFC 8414, OpenID Connect Discovery).
func (s *realm) metadata(w http.ResponseWriter, r *http.Request) {
	scopes, err := s.server.store.For(s.org.ID).OAuthScopes(r.Context())
	if err != nil {
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	names := append(slices.Clone(identityScopes), Scope)
	for _, scope := range scopes {
		names = append(names, scope.Name)
	}
	methods := []string{AuthBasic, AuthPost, AuthPrivateKey, AuthNone}
	ways := methods[:3]
	if s.server.opt.Certificate != nil {
		ways = append(slices.Clone(ways), AuthTLS, AuthCertificate)
		methods = append(methods, AuthTLS, AuthCertificate)
	}
	assertion := assertionAlgorithms
	out := map[string]any{
		"issuer":                                s.issuer,
		"authorization_endpoint":                s.issuer + "/authorize",
		"token_endpoint":                        s.issuer + "/token",
		"jwks_uri":                              s.issuer + "/jwks",
		"userinfo_endpoint":                     s.issuer + "/userinfo",
		"introspection_endpoint":                s.issuer + "/introspect",
		"revocation_endpoint":                   s.issuer + "/revoke",
		"end_session_endpoint":                  s.issuer + "/logout",
		"pushed_authorization_request_endpoint": s.issuer + "/par",
		"device_authorization_endpoint":         s.issuer + "/device_authorization",
		"registration_endpoint":                 s.issuer + "/register",
		"scopes_supported":                      names,
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{GrantCode, GrantClient, GrantRefresh, GrantDevice, GrantExchange},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{EdDSA, RS256},
		"code_challenge_methods_supported":      []string{"S256"},
		"prompt_values_supported":               []string{"none", "login", "consent"},
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash", "name", "updated_at", "email", "email_verified",
		},
		"token_endpoint_auth_methods_supported":                    methods,
		"introspection_endpoint_auth_methods_supported":            ways,
		"revocation_endpoint_auth_methods_supported":               methods,
		"token_endpoint_auth_signing_alg_values_supported":         assertion,
		"introspection_endpoint_auth_signing_alg_values_supported": assertion,
		"revocation_endpoint_auth_signing_alg_values_supported":    assertion,
		"authorization_response_iss_parameter_supported":           true,
		"request_parameter_supported":                              false,
		"request_uri_parameter_supported":                          false,
		"claims_parameter_supported":                               false,
		"dpop_signing_alg_values_supported":                        dpop.Algorithms(),
		"backchannel_logout_supported":                             true,
		"backchannel_logout_session_supported":                     true,
	}
	if s.server.opt.Certificate != nil {
		out["tls_client_certificate_bound_access_tokens"] = true
	}
	if alias := s.alias(); alias != "" { // RFC 8705 section 5
		aliases := map[string]any{}
		for name, path := range map[string]string{
			"token_endpoint": "token", "introspection_endpoint": "introspect", "revocation_endpoint": "revoke", "userinfo_endpoint": "userinfo",
			"pushed_authorization_request_endpoint": "par", "device_authorization_endpoint": "device_authorization",
		} {
			aliases[name] = alias + "/" + path
		}
		out["mtls_endpoint_aliases"] = aliases
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	write(w, http.StatusOK, out)
}

// jwks publishes the public keys: those that sign, those that will, and those
// that did.
func (s *realm) jwks(w http.ResponseWriter, r *http.Request) {
	keys, err := s.server.Keys(r.Context(), s.org.ID)
	if err != nil {
		s.refuse(w, r, fosite.ErrServerError.WithWrap(err))
		return
	}
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, len(keys))}
	for i, k := range keys {
		set.Keys[i] = k.PublicJWK()
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	write(w, http.StatusOK, set)
}
