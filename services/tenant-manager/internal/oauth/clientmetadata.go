package oauth

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/go-jose/go-jose/v3"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// clientMetadata is what a program says of itself (RFC 7591 section 2). What is not
// here is passed over, as section 2 wants.
type clientMetadata struct {
	ID               string          `json:"client_id,omitempty"`
	Name             string          `json:"client_name,omitempty"`
	RedirectURIs     []string        `json:"redirect_uris,omitempty"`
	LogoutURIs       []string        `json:"post_logout_redirect_uris,omitempty"`
	AuthMethod       string          `json:"token_endpoint_auth_method,omitempty"`
	AuthAlgorithm    string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	GrantTypes       []string        `json:"grant_types,omitempty"`
	ResponseTypes    []string        `json:"response_types,omitempty"`
	Scope            string          `json:"scope,omitempty"`
	JWKSURI          string          `json:"jwks_uri,omitempty"`
	JWKS             json.RawMessage `json:"jwks,omitempty"`
	IDTokenAlgorithm string          `json:"id_token_signed_response_alg,omitempty"`
	DPoPBound        bool            `json:"dpop_bound_access_tokens,omitempty"`
	CertificateBound bool            `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	// Those of OpenID Connect Back-Channel Logout section 2.2.
	BackchannelURI     string `json:"backchannel_logout_uri,omitempty"`
	BackchannelSession bool   `json:"backchannel_logout_session_required,omitempty"`
	About
}

// About is what a client that registered itself tells people.
type About struct {
	URI             string   `json:"client_uri,omitempty"`
	LogoURI         string   `json:"logo_uri,omitempty"`
	TermsURI        string   `json:"tos_uri,omitempty"`
	PolicyURI       string   `json:"policy_uri,omitempty"`
	Contacts        []string `json:"contacts,omitempty"`
	SoftwareID      string   `json:"software_id,omitempty"`
	SoftwareVersion string   `json:"software_version,omitempty"`
}

// limitsOf is what a client may have that registers itself: what its initial token
// allowed, and what administrators made of it since.
type limitsOf struct {
	Scopes     []string `json:"scopes"`
	GrantTypes []string `json:"grantTypes"`
	Audiences  []string `json:"audiences"`
	// DPoPBound and CertificateBound say that its tokens have to be bound.
	DPoPBound        bool `json:"dpopBound,omitempty"`
	CertificateBound bool `json:"certificateBound,omitempty"`
}

// registered is what is kept of a registration besides the client.
type registered struct {
	About  About    `json:"about"`
	Limits limitsOf `json:"limits"`
}

// Registered returns what a client that registered itself tells people; ok is false
// where it did not.
func Registered(c store.OAuthClient) (a About, ok bool) {
	var r registered
	if c.RegistrationHash == "" || json.Unmarshal([]byte(c.Registration), &r) != nil {
		return a, false
	}
	return r.About, true
}

// Limit has a client that registered itself keep to what an administrator changed of
// it, whatever it says of itself later. It does nothing to other clients.
func Limit(before store.OAuthClient, after *store.OAuthClient) error {
	if after.RegistrationHash == "" {
		return nil
	}
	var r registered
	if err := json.Unmarshal([]byte(after.Registration), &r); err != nil {
		return fmt.Errorf("reading a registration: %w", err)
	}
	for _, l := range []struct {
		limit   *[]string
		was, is []string
	}{
		{&r.Limits.Scopes, before.Scopes, after.Scopes},
		{&r.Limits.GrantTypes, before.GrantTypes, after.GrantTypes},
		{&r.Limits.Audiences, before.Audiences, after.Audiences},
	} {
		if !slices.Equal(l.was, l.is) {
			*l.limit = l.is
		}
	}
	if before.DPoPBound != after.DPoPBound {
		r.Limits.DPoPBound = after.DPoPBound
	}
	if before.CertificateBound != after.CertificateBound {
		r.Limits.CertificateBound = after.CertificateBound
	}
	after.Registration = jsonText(r)
	return nil
}

// metadataError is an error of RFC 7591 section 3.2.2.
func metadataError(format string, args ...any) error {
	return oauthError("invalid_client_metadata", fmt.Sprintf(format, args...))
}

// parseMetadata reads what a program says of itself.
func parseMetadata(doc []byte) (clientMetadata, error) {
	var all map[string]json.RawMessage
	if json.Unmarshal(doc, &all) != nil || all == nil {
		return clientMetadata{}, metadataError("Send a JSON object with the metadata of RFC 7591 section 2.")
	}
	if _, there := all["software_statement"]; there {
		return clientMetadata{}, oauthError("invalid_software_statement", "Software statements are not taken.")
	}
	for _, name := range []string{"request_uris", "sector_identifier_uri", "userinfo_signed_response_alg", "userinfo_encrypted_response_alg", "id_token_encrypted_response_alg", "request_object_signing_alg"} {
		if raw, there := all[name]; there && string(raw) != "null" {
			return clientMetadata{}, metadataError("%s is not supported: leave it out.", name)
		}
	}
	var m clientMetadata
	if err := json.Unmarshal(doc, &m); err != nil {
		return m, metadataError("A member has the wrong type: see RFC 7591 section 2.")
	}
	return m, m.check()
}

// check holds each member by itself against what it may be, and puts in the
// defaults of RFC 7591 section 2.
func (m *clientMetadata) check() error {
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{GrantCode}
	}
	if m.AuthMethod == "" {
		m.AuthMethod = AuthBasic
	}
	if m.IDTokenAlgorithm == "" {
		m.IDTokenAlgorithm = RS256 // OpenID Connect Dynamic Client Registration section 2
	}
	code := slices.Contains(m.GrantTypes, GrantCode)
	m.Name = strings.TrimSpace(m.Name)
	switch {
	case len(m.Name) > 100 || strings.ContainsFunc(m.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return metadataError("client_name has at most 100 bytes, and no control characters.")
	case !slices.Contains([]string{AuthBasic, AuthPost, AuthPrivateKey, AuthNone}, m.AuthMethod):
		return metadataError("token_endpoint_auth_method can be %s, %s, %s or %s.", AuthBasic, AuthPost, AuthPrivateKey, AuthNone)
	case m.IDTokenAlgorithm != EdDSA && m.IDTokenAlgorithm != RS256:
		return metadataError("id_token_signed_response_alg can be %s or %s.", EdDSA, RS256)
	case len(m.GrantTypes) > 8 || repeats(m.GrantTypes):
		return metadataError("grant_types has one of something twice.")
	case slices.ContainsFunc(m.ResponseTypes, func(t string) bool { return t != "code" }) || len(m.ResponseTypes) > 0 && !code:
		return metadataError("response_types can be code, and only with authorization_code.")
	case m.AuthMethod == AuthNone && (slices.Contains(m.GrantTypes, GrantClient) || slices.Contains(m.GrantTypes, GrantExchange)):
		return metadataError("A client without a way to prove who it is has neither client_credentials nor token-exchange.")
	case slices.Contains(m.GrantTypes, GrantRefresh) && !code && !slices.Contains(m.GrantTypes, GrantDevice):
		return metadataError("refresh_token goes with authorization_code or the device grant.")
	case code && len(m.RedirectURIs) == 0:
		return oauthError("invalid_redirect_uri", "authorization_code needs redirect_uris.")
	case len(m.RedirectURIs) > 50 || len(m.LogoutURIs) > 50:
		return oauthError("invalid_redirect_uri", "There are more than 50 addresses.")
	}
	for _, u := range slices.Concat(m.RedirectURIs, m.LogoutURIs) {
		if why := badRegistered(u); why != "" {
			return oauthError("invalid_redirect_uri", fmt.Sprintf("%.200q: %s.", u, why))
		}
	}
	if m.BackchannelURI == "" {
		m.BackchannelSession = false
	} else if !WebAddress(m.BackchannelURI) {
		return metadataError("backchannel_logout_uri is not an address with https.")
	}
	if err := m.checkKeys(); err != nil {
		return err
	}
	return m.checkAbout()
}

func (m *clientMetadata) checkKeys() error {
	if m.AuthMethod != AuthPrivateKey {
		m.JWKS, m.JWKSURI, m.AuthAlgorithm = nil, "", ""
		return nil
	}
	if m.AuthAlgorithm == "" {
		m.AuthAlgorithm = string(jose.RS256)
	}
	switch {
	case !slices.Contains(assertionAlgorithms, m.AuthAlgorithm):
		return metadataError("token_endpoint_auth_signing_alg is not one of token_endpoint_auth_signing_alg_values_supported.")
	case (len(m.JWKS) > 0) == (m.JWKSURI != ""):
		return metadataError("%s needs jwks or jwks_uri, and not both.", AuthPrivateKey)
	case m.JWKSURI != "":
		if !WebAddress(m.JWKSURI) {
			return metadataError("jwks_uri is not an address with https.")
		}
		return nil
	case len(m.JWKS) > 20_000:
		return metadataError("jwks is too large.")
	}
	if _, err := ParseJWKS(string(m.JWKS)); err != nil {
		return metadataError("jwks: %s.", err)
	}
	return nil
}

func (m *clientMetadata) checkAbout() error {
	for name, u := range map[string]string{"client_uri": m.URI, "logo_uri": m.LogoURI, "tos_uri": m.TermsURI, "policy_uri": m.PolicyURI} {
		if u != "" && !WebAddress(u) {
			return metadataError("%s is not an address with https.", name)
		}
	}
	if len(m.Contacts) > 10 || len(m.SoftwareID) > 200 || len(m.SoftwareVersion) > 200 {
		return metadataError("There are at most ten contacts, and software_id and software_version have at most 200 bytes.")
	}
	for _, text := range slices.Concat(m.Contacts, []string{m.SoftwareID, m.SoftwareVersion}) {
		if len(text) > 254 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return metadataError("contacts, software_id and software_version have no control characters, and a contact at most 254 bytes.")
		}
	}
	return nil
}

func repeats(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) < len(list)
}

// WebAddress reports whether something is an address that people and servers can
// open: by https, without a user name.
func WebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= 500 && (u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname())) && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

// badRegistered says what is wrong with an address of a program that registers
// itself: nobody has looked at it, so it is https or the own machine, and nothing
// stands for something else in it.
func badRegistered(text string) string {
	if len(text) > 2000 || strings.Contains(text, "*") {
		return "it is too long, or has a * in it: addresses are compared character by character"
	}
	if why := BadRedirect(text); why != "" {
		return why
	}
	if u, _ := url.Parse(text); u == nil || u.Scheme != "https" && u.Scheme != "http" {
		return "use https, or http for the own machine"
	}
	return ""
}

// BadRedirect says what is wrong with an address that a browser goes back to
// (OAuth 2.1 section 2.3.1, RFC 8252).
func BadRedirect(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "":
		return "this is not an address such as https://app.example.com/callback"
	case u.Fragment != "" || strings.Contains(text, "#"):
		return "an address to go back to has no fragment"
	case u.User != nil:
		return "an address to go back to has no user name"
	case u.Scheme == "https" && u.Host != "":
		return ""
	case u.Scheme == "http" && Loopback(u.Hostname()):
		return ""
	case strings.Contains(u.Scheme, "."): // an app's own scheme (RFC 8252 section 7.1)
		return ""
	}
	return "use https, http for the own machine only, or an app's own scheme with a dot in it"
}

// into puts what a program says of itself into its client, as far as it may say it.
func (m *clientMetadata) into(c *store.OAuthClient, may limitsOf) error {
	scopes := strings.Fields(m.Scope)
	if len(scopes) == 0 {
		scopes = may.Scopes
	}
	for _, scope := range scopes {
		if !slices.Contains(may.Scopes, scope) || scope == Scope {
			return metadataError("The scope %.120q is not one that this registration may have.", scope)
		}
	}
	if repeats(scopes) {
		return metadataError("scope has one of something twice.")
	}
	for _, grant := range m.GrantTypes {
		if !slices.Contains(may.GrantTypes, grant) {
			return metadataError("The grant type %.120q is not one that this registration may have.", grant)
		}
	}
	c.Name, c.AuthMethod, c.GrantTypes, c.RedirectURIs, c.LogoutURIs, c.Scopes = m.Name, m.AuthMethod, m.GrantTypes, list(m.RedirectURIs), list(m.LogoutURIs), list(scopes)
	c.Audiences, c.Algorithm = list(may.Audiences), m.IDTokenAlgorithm
	c.DPoPBound, c.CertificateBound = m.DPoPBound || may.DPoPBound, m.CertificateBound || may.CertificateBound
	c.JWKS, c.JWKSURI, c.AssertionAlgorithm = string(m.JWKS), m.JWKSURI, m.AuthAlgorithm
	c.BackchannelURI, c.BackchannelSession = m.BackchannelURI, m.BackchannelSession
	c.Registration = jsonText(registered{m.About, may})
	return nil
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// metadataOf returns what a client has registered, as RFC 7591 section 3.2.1 has it.
func metadataOf(c store.OAuthClient) clientMetadata {
	m := clientMetadata{
		ID: c.ID, Name: c.Name, RedirectURIs: c.RedirectURIs, LogoutURIs: c.LogoutURIs, AuthMethod: c.AuthMethod, AuthAlgorithm: c.AssertionAlgorithm,
		GrantTypes: c.GrantTypes, Scope: strings.Join(c.Scopes, " "), JWKSURI: c.JWKSURI, IDTokenAlgorithm: c.Algorithm,
		DPoPBound: c.DPoPBound, CertificateBound: c.CertificateBound, BackchannelURI: c.BackchannelURI, BackchannelSession: c.BackchannelSession,
	}
	if slices.Contains(c.GrantTypes, GrantCode) {
		m.ResponseTypes = []string{"code"}
	}
	if c.JWKS != "" {
		m.JWKS = json.RawMessage(c.JWKS)
	}
	m.About, _ = Registered(c)
	return m
}
