package sso_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
)

// The shapes of GitHub's API: GET /user, /user/emails, /user/orgs and /user/teams.
const (
	githubUser   = `{"login":"octocat","id":583231,"node_id":"MDQ6VXNlcjU4MzIzMQ==","avatar_url":"https://avatars.githubusercontent.com/u/583231?v=4","type":"User","site_admin":false,"name":"The Octocat","company":"@github","email":"public@elsewhere.example","two_factor_authentication":true}`
	githubEmails = `[{"email":"old@acme.example","primary":false,"verified":true,"visibility":null},{"email":"octocat@acme.example","primary":true,"verified":true,"visibility":"private"}]`
	githubOrgs   = `[{"login":"acme","id":1,"node_id":"MDEyOk9yZ2FuaXphdGlvbjE=","url":"https://api.github.com/orgs/acme","description":""}]`
	githubTeams  = `[{"id":1,"name":"Platform team","slug":"platform-team","permission":"admin","organization":{"login":"acme","id":1}}]`
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&v))
	return v
}

func TestReadingWhatAnAPISays(t *testing.T) {
	t.Parallel()
	yes := true
	names := sso.Names{Email: "email", Name: "name", Groups: "groups"}
	for name, x := range map[string]struct {
		user, emails string
		subject      string
		want         sso.Person
	}{
		"the primary address":             {githubUser, githubEmails, "id", sso.Person{Subject: "583231", Email: "octocat@acme.example", Verified: &yes, Name: "The Octocat"}},
		"not the primary one":             {githubUser, `[{"email":"x@acme.example","primary":false,"verified":true}]`, "id", sso.Person{Subject: "583231", Name: "The Octocat"}},
		"not verified":                    {githubUser, `[{"email":"x@acme.example","primary":true,"verified":false}]`, "id", sso.Person{Subject: "583231", Name: "The Octocat"}},
		"verified is no truth value":      {githubUser, `[{"email":"x@acme.example","primary":true,"verified":"true"}]`, "id", sso.Person{Subject: "583231", Name: "The Octocat"}},
		"no addresses":                    {githubUser, `[]`, "id", sso.Person{Subject: "583231", Name: "The Octocat"}},
		"no list, and nothing is said":    {`{"id":7,"email":"x@acme.example"}`, "", "id", sso.Person{Subject: "7", Email: "x@acme.example"}},
		"no list, and it is said":         {`{"data":{"id":"u7"},"email":"x@acme.example","email_verified":true,"groups":["a"]}`, "", "data.id", sso.Person{Subject: "u7", Email: "x@acme.example", Verified: &yes, Groups: []string{"a"}}},
		"no subject":                      {`{"id":null}`, "", "id", sso.Person{Why: "what the provider says of the person has no id, which is the subject"}},
		"a large number is told in full":  {`{"id":12345678901234567890}`, "", "id", sso.Person{Subject: "12345678901234567890"}},
		"methods are not for it to claim": {`{"id":1,"amr":["mfa"]}`, "", "id", sso.Person{Subject: "1"}},
	} {
		claims := map[string]any{"user": decoded(t, x.user)}
		if x.emails != "" {
			claims["emails"] = decoded(t, x.emails)
		}
		require.Equal(t, x.want, sso.ReadOAuth2(claims, names, x.subject), name)
	}
}

func TestAskingAnAPI(t *testing.T) {
	t.Parallel()
	m := http.NewServeMux()
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	say := func(path, body string, link string) {
		m.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer tok-123" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if link != "" && r.URL.Query().Get("page") == "" {
				w.Header().Set("Link", link)
			}
			_, _ = fmt.Fprint(w, body)
		})
	}
	// GitHub answers a form where nobody asks for JSON, and errors with the status 200.
	m.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if r.FormValue("code") != "good" {
			_, _ = fmt.Fprint(w, `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"access_token":"tok-123","token_type":"bearer","scope":"read:org"}`)
	})
	say("/user", githubUser, "")
	say("/emails", githubEmails, "")
	say("/orgs", githubOrgs, "")
	say("/teams", githubTeams, fmt.Sprintf(`<%s/teams?page=2>; rel="next", <%s/teams?page=2>; rel="last"`, s.URL, s.URL))
	say("/away", githubOrgs, `<https://evil.example/?page=2>; rel="next"`)
	say("/object", `{}`, "")
	say("/large", `["`+strings.Repeat("x", 2<<20)+`"]`, "")
	p := sso.OAuth2Provider{
		AuthorizeURL: s.URL + "/authorize", TokenURL: s.URL + "/token", UserURL: s.URL + "/user", EmailsURL: s.URL + "/emails", ClientID: "c", ClientSecret: "s", PKCE: true,
		Groups: []sso.OAuth2Groups{{URL: s.URL + "/orgs", Path: "login"}, {URL: s.URL + "/teams", Path: "organization.login/slug"}, {URL: s.URL + "/away", Path: "nothing"}},
	}
	c := clientAt(at)
	claims, err := c.OAuth2Claims(t.Context(), p, attempt(), sso.Answer{Code: "good"})
	require.NoError(t, err)
	got := sso.ReadOAuth2(claims, sso.Names{Email: "email", Name: "name"}, "id")
	require.Equal(t, "583231", got.Subject)
	require.Equal(t, "octocat@acme.example", got.Email)
	require.Equal(t, []string{"acme", "acme/platform-team"}, got.Groups, "of both pages, once; the token goes to no other host")
	address, err := c.OAuth2Address(p, attempt())
	require.NoError(t, err)
	require.Contains(t, address, "code_challenge_method=S256")

	for why, change := range map[string]func(*sso.OAuth2Provider) string{
		"bad_verification_code":            func(*sso.OAuth2Provider) string { return "bad" },
		"HTTP 404":                         func(p *sso.OAuth2Provider) string { p.UserURL = s.URL + "/none"; return "good" },
		"what it answered is not what was": func(p *sso.OAuth2Provider) string { p.EmailsURL = s.URL + "/object"; return "good" },
		"asking the provider for groups": func(p *sso.OAuth2Provider) string {
			p.Groups = []sso.OAuth2Groups{{URL: s.URL + "/large"}}
			return "good"
		},
		"use an address that begins with https:": func(p *sso.OAuth2Provider) string { p.UserURL = "http://api.example/user"; return "good" },
	} {
		q := p
		code := change(&q)
		_, err := c.OAuth2Claims(t.Context(), q, attempt(), sso.Answer{Code: code})
		var failed *sso.FailedError
		require.ErrorAs(t, err, &failed, why)
		require.Contains(t, failed.Reason, why)
		require.NotContains(t, failed.Reason, "tok-123")
	}
}

// A code that came of another provider than the one that was asked is shown to nobody
// (RFC 9207): it could be used by whoever got it.
func TestACodeOfAnotherProvider(t *testing.T) {
	t.Parallel()
	shown := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { shown <- r.FormValue("code") }))
	t.Cleanup(server.Close)
	c := sso.NewClient(egress.Guard{AllowLoopback: true}, time.Now)
	p := sso.OAuth2Provider{ClientID: "gatehouse", AuthorizeURL: server.URL + "/authorize", TokenURL: server.URL + "/token", UserURL: server.URL + "/user"}
	for _, issuer := range []string{"https://login.example.com", "http://127.0.0.1:1", "https" + strings.TrimPrefix(server.URL, "http"), "%"} {
		_, err := c.OAuth2Claims(t.Context(), p, sso.Attempt{}, sso.Answer{Code: "stolen", Issuer: issuer})
		require.ErrorContains(t, err, "names the issuer", issuer)
	}
	require.Empty(t, shown)
	_, err := c.OAuth2Claims(t.Context(), p, sso.Attempt{}, sso.Answer{Code: "own", Issuer: server.URL + "/realms/acme"})
	require.Error(t, err, "it answers nothing")
	require.Equal(t, "own", <-shown)
}
