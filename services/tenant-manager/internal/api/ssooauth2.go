package api

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// readOAuth2 reads what connections to providers of plain OAuth 2.0 have.
func (h *Handlers) readOAuth2(in SsoConnectionInput, c *store.SSOConnection) error {
	if in.Oauth2 == nil {
		return invalid("/oauth2", "required", "say where the provider is")
	}
	clientID := strings.TrimSpace(deref(in.ClientId))
	if clientID == "" && deref(in.Enabled) {
		return invalid("/clientId", "required", "it is what the provider calls this installation: give it before it is switched on")
	}
	g := in.Oauth2
	now := store.SSOOAuth2{
		AuthorizeURL: strings.TrimSpace(g.AuthorizeUrl), TokenURL: strings.TrimSpace(g.TokenUrl), UserURL: strings.TrimSpace(g.UserUrl),
		EmailsURL: strings.TrimSpace(deref(g.EmailsUrl)), Subject: cmp.Or(strings.TrimSpace(deref(g.Subject)), "id"), PKCE: g.Pkce == nil || *g.Pkce,
	}
	for _, x := range deref(g.Groups) {
		now.Groups = append(now.Groups, store.SSOOAuth2Groups{URL: strings.TrimSpace(x.Url), Path: strings.TrimSpace(deref(x.Path))})
	}
	had := c.Settings.OAuth2
	c.Settings = store.SSOSettings{OAuth2: &now}
	if field, err := h.sso.CheckOAuth2(oauth2ProviderOf(*c)); err != nil {
		return invalid("/oauth2/"+field, "format", "%s", err)
	}
	switch {
	case in.ClientSecret != nil:
		c.Secret = secret.NewText(*in.ClientSecret)
	case had == nil || had.TokenURL != now.TokenURL:
		c.Secret = secret.Text{}
	}
	c.ClientID, c.Scopes = clientID, append([]string{}, deref(in.Scopes)...) // none is a list as well
	if at, err := url.Parse(now.AuthorizeURL); err == nil {
		c.Issuer = at.Scheme + "://" + at.Host
	}
	return nil
}

func oauth2ProviderOf(c store.SSOConnection) sso.OAuth2Provider {
	o := c.Settings.OAuth2
	p := sso.OAuth2Provider{
		AuthorizeURL: o.AuthorizeURL, TokenURL: o.TokenURL, UserURL: o.UserURL, EmailsURL: o.EmailsURL, ClientID: c.ClientID,
		ClientSecret: c.Secret.Reveal(), Scopes: c.Scopes, PKCE: o.PKCE,
	}
	for _, g := range o.Groups {
		p.Groups = append(p.Groups, sso.OAuth2Groups{URL: g.URL, Path: g.Path})
	}
	return p
}

func ssoOAuth2Of(c store.SSOConnection) *SsoOauth2 {
	o := c.Settings.OAuth2
	if o == nil {
		return nil
	}
	groups := make([]SsoOauth2Groups, len(o.Groups))
	for i, g := range o.Groups {
		groups[i] = SsoOauth2Groups{Url: g.URL, Path: ptr(g.Path)}
	}
	return &SsoOauth2{
		AuthorizeUrl: o.AuthorizeURL, TokenUrl: o.TokenURL, UserUrl: o.UserURL, EmailsUrl: ptr(o.EmailsURL), Groups: &groups, Subject: ptr(o.Subject), Pkce: &o.PKCE,
	}
}
