package sso

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// OAuth2Provider is how a provider is reached that speaks plain OAuth 2.0 (RFC 6749)
// and has an API of its own for who somebody is, such as GitHub.
type OAuth2Provider struct {
	AuthorizeURL, TokenURL string
	// UserURL answers an object on the person, EmailsURL a list of their addresses
	// with "email", "primary" and "verified"; "" = there is none.
	UserURL, EmailsURL string
	// Groups answer lists of what they belong to.
	Groups                 []OAuth2Groups
	ClientID, ClientSecret string
	Scopes                 []string
	// PKCE sends a code challenge (RFC 7636).
	PKCE bool
}

// OAuth2Groups is a list of an API.
type OAuth2Groups struct {
	URL string
	// Path is where the name of a group is in an entry; "" = the entry is the name.
	// Dots part the names of nested objects, slashes parts of the name: with
	// organization.login/slug a team is acme/platform.
	Path string
}

// The names of what was received, in claims.
const (
	claimUser   = "user"
	claimEmails = "emails"
	claimGroups = "groups"

	mostPages = 30

	groupsAsked = "groups"
)

func (p OAuth2Provider) config(redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: redirect, Scopes: p.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: p.AuthorizeURL, TokenURL: p.TokenURL},
	}
}

// OAuth2Address returns where to send the browser to. The error is a [FailedError].
func (c *Client) OAuth2Address(p OAuth2Provider, a Attempt) (string, error) {
	if err := c.CheckEndpoint(p.AuthorizeURL); err != nil {
		return "", err
	}
	var options []oauth2.AuthCodeOption
	if p.PKCE {
		options = append(options, oauth2.S256ChallengeOption(a.Verifier()))
	}
	return p.config(a.Redirect).AuthCodeURL(a.State, options...), nil
}

// isOf returns why an answer is not that of who was asked, by the parameter iss (RFC 9207):
// the code of another provider must not be shown to this one, which could use it. The
// issuer of a provider that speaks plain OAuth 2.0 is not known, but where it is.
func isOf(issuer, asked string) error {
	if issuer == "" {
		return nil
	}
	i, err := url.Parse(issuer)
	a, errAsked := url.Parse(asked)
	if err != nil || errAsked != nil || i.Scheme != a.Scheme || !strings.EqualFold(i.Host, a.Host) {
		return failed("the answer names the issuer %q, which is not at %q, where the sign-in was begun", cut(issuer), cut(asked))
	}
	return nil
}

// OAuth2Claims exchanges the code of an answer, and asks the provider's API who
// signed in. The error is a [FailedError].
func (c *Client) OAuth2Claims(ctx context.Context, p OAuth2Provider, a Attempt, answer Answer) (map[string]any, error) {
	if answer.Issuer != "" && !sameOrigin(answer.Issuer, p.AuthorizeURL) {
		return nil, failed("the answer names the issuer %q, which is not where people sign in: %s", cut(answer.Issuer), p.AuthorizeURL)
	}
	for _, address := range []string{p.TokenURL, p.UserURL} {
		if err := c.CheckEndpoint(address); err != nil {
			return nil, failed("%q: %s", cut(address), err)
		}
	}
	if err := isOf(answer.Issuer, p.AuthorizeURL); err != nil {
		return nil, err
	}
	var options []oauth2.AuthCodeOption
	if p.PKCE {
		options = append(options, oauth2.VerifierOption(a.Verifier()))
	}
	tokens, err := p.config(a.Redirect).Exchange(context.WithValue(ctx, oauth2.HTTPClient, c.http), answer.Code, options...)
	if err != nil {
		return nil, unreachable("a token", err)
	}
	if !strings.EqualFold(tokens.Type(), "Bearer") {
		return nil, failed("the provider sent a token of the type %q, and not a bearer token", cut(tokens.Type()))
	}
	var user map[string]any
	if _, err := c.ask(ctx, p.UserURL, tokens.AccessToken, "the person", &user); err != nil {
		return nil, err
	}
	out := map[string]any{claimUser: user}
	if p.EmailsURL != "" {
		emails, err := c.askList(ctx, p.EmailsURL, tokens.AccessToken, "e-mail addresses")
		if err != nil {
			return nil, err
		}
		out[claimEmails] = emails
	}
	named := []any{}
	for _, g := range p.Groups {
		entries, err := c.askList(ctx, g.URL, tokens.AccessToken, groupsAsked)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name := groupName(e, g.Path); name != "" {
				named = append(named, name)
			}
		}
	}
	if len(p.Groups) > 0 {
		out[claimGroups] = named
	}
	return out, nil
}

// sameOrigin reports whether two addresses are of one scheme, host and port. A plain
// provider says nowhere what its issuer is called, which has to be there at least.
func sameOrigin(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Host != "" && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

// ask asks an API, and returns where the next page is; "" = there is none.
func (c *Client) ask(ctx context.Context, address, token, what string, into any) (next string, err error) {
	if err := c.CheckEndpoint(address); err != nil {
		return "", failed("%q: %s", cut(address), err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", failed("the address %q is not right", cut(address))
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := c.http.Do(r)
	if err != nil {
		return "", unreachable(what, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", unreachable(what, err)
	}
	if res.StatusCode != http.StatusOK {
		return "", failed("asking the provider for %s: it answered HTTP %d: does the token have the scope for it?", what, res.StatusCode)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return "", failed("asking the provider for %s: what it answered is not what was expected: %s", what, cut(err.Error()))
	}
	return nextPage(address, res.Header.Values("Link")), nil
}

// askList asks for all pages of a list.
func (c *Client) askList(ctx context.Context, address, token, what string) ([]any, error) {
	out := []any{}
	for range mostPages {
		var page []any
		next, err := c.ask(ctx, address, token, what, &page)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if next == "" {
			return out, nil
		}
		address = next
	}
	if what == groupsAsked {
		return nil, failed("asking the provider for %s: there are more than are read, and the roles of some are not given", what)
	}
	return out, nil
}

var nextLink = regexp.MustCompile(`<([^<>]+)>\s*;\s*rel="?next"?`)

// nextPage returns the next page of the same host (RFC 8288); the token goes to no
// other.
func nextPage(address string, links []string) string {
	m := nextLink.FindStringSubmatch(strings.Join(links, ", "))
	if m == nil {
		return ""
	}
	at, err := url.Parse(address)
	if err != nil {
		return ""
	}
	to, err := at.Parse(m[1])
	if err != nil || to.Host != at.Host || to.Scheme != at.Scheme {
		return ""
	}
	return to.String()
}

func groupName(entry any, path string) string {
	if path == "" {
		return scalar(entry)
	}
	object, _ := entry.(map[string]any)
	var parts []string
	for p := range strings.SplitSeq(path, "/") {
		part := scalar(find(object, p))
		if part == "" {
			return ""
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "/")
}

// scalar returns a text or a number as a text.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// ReadOAuth2 reads what an API said. subject is where the user has what never
// changes. Where the API lists addresses, the primary one that is verified counts and
// no other.
func ReadOAuth2(claims map[string]any, names Names, subject string) Person {
	user, _ := claims[claimUser].(map[string]any)
	p := Read(user, names)
	p.Methods = nil
	p.Name = cut(strings.TrimSpace(text(find(user, names.Name))))
	if p.Subject = scalar(find(user, subject)); p.Subject == "" {
		p.Why = "what the provider says of the person has no " + subject + ", which is the subject"
	}
	if emails, listed := claims[claimEmails].([]any); listed {
		p.Email, p.Verified = "", nil
		for _, e := range emails {
			e, _ := e.(map[string]any)
			if e["primary"] == true && e["verified"] == true {
				yes := true
				p.Email, p.Verified = address(text(e["email"])), &yes
				break
			}
		}
	}
	overage := p.Overage
	p.Groups, p.Overage = groups(slices.Concat(p.Groups, list(claims[claimGroups])))
	p.Overage = cmp.Or(overage, p.Overage)
	return p
}

// CheckOAuth2 returns which field of a provider cannot be used, by its name in the
// API, and why. The error is a [FailedError].
func (c *Client) CheckOAuth2(p OAuth2Provider) (field string, err error) {
	for _, f := range []struct{ name, address string }{{"authorizeUrl", p.AuthorizeURL}, {"tokenUrl", p.TokenURL}, {"userUrl", p.UserURL}} {
		if err := c.CheckEndpoint(f.address); err != nil {
			return f.name, err
		}
	}
	if p.EmailsURL != "" {
		if err := c.CheckEndpoint(p.EmailsURL); err != nil {
			return "emailsUrl", err
		}
	}
	for _, g := range p.Groups {
		if err := c.CheckEndpoint(g.URL); err != nil {
			return "groups", err
		}
	}
	return "", nil
}
