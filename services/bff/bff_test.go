package bff_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/bff"
)

type answer struct {
	status int
	body   string
	header http.Header
}

type view struct {
	SignedIn      bool
	User          struct{ Name string }
	Organization  struct{ Slug string }
	Permissions   []string
	CSRF          string
	SetupRequired bool
	SignIn        struct{ OIDC bool }
	Apps          map[string]string
}

const admin = "apim-admin.example.com:8443"

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	v := b.session()
	require.False(t, v.SignedIn)
	require.True(t, v.SetupRequired)
	require.Equal(t, map[string]string{
		"admin": "http://apim-admin.example.com:8443", "tenant": "http://tenant-admin.example.com:8443",
		"auth": "http://auth-admin.example.com:8443", "portal": "http://developers.example.com:8443",
	}, v.Apps)

	a := b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"wrong"}`)
	require.Equal(t, problem.CodeRateLimited, code(t, a))
	require.Equal(t, "7", a.header.Get("Retry-After"))
	require.Empty(t, a.header.Values("Set-Cookie"))

	a = b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`)
	require.Equal(t, 200, a.status, a.body)
	cookie := a.header.Get("Set-Cookie")
	require.Regexp(t, `^gatehouse=[A-Za-z0-9_-]{43}; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax$`, cookie)
	require.NotContains(t, a.body, "refresh")
	require.NotContains(t, a.body, "eyJ", "no token ever reaches a browser")
	v = b.session()
	require.True(t, v.SignedIn)
	require.Equal(t, "Ada", v.User.Name)
	require.Equal(t, "acme", v.Organization.Slug)
	require.Equal(t, []string{"*"}, v.Permissions)

	// A second sign-in is another session.
	a = b.do("POST", "/bff/sign-in/one-time", `{"code":"x"}`)
	require.Equal(t, 200, a.status, a.body)
	require.NotEqual(t, cookie, a.header.Get("Set-Cookie"))
	old := w.browser(admin)
	require.Equal(t, 200, old.do("GET", "/bff/session", "", "Cookie", strings.SplitN(cookie, ";", 2)[0]).status)
	require.False(t, old.session().SignedIn, "the one before has ended")

	b.session()
	a = b.do("POST", "/bff/sign-out", "")
	require.Equal(t, 204, a.status, a.body)
	require.Contains(t, a.header.Get("Set-Cookie"), "Max-Age=0")
	require.False(t, b.session().SignedIn)

	invited := w.browser("developers.example.com")
	invited.session()
	require.Equal(t, 404, invited.do("POST", "/bff/invitations/accept", `{"token":"no","name":"Bob","password":"p"}`).status)
	require.Equal(t, 422, invited.do("POST", "/bff/invitations/accept", `{"token":"no","nam":"Bob"}`).status)
	require.Equal(t, 200, invited.do("POST", "/bff/invitations/accept", `{"token":"a/b","name":"Bob","password":"p"}`).status)
	require.True(t, invited.session().SignedIn)
	require.Equal(t, 404, invited.do("GET", "/bff/nothing", "").status)
	require.Equal(t, problem.CodeNotFound, code(t, invited.do("POST", "/bff/nothing", "{}")))

	// A second step: no cookie before it.
	reset := w.browser("developers.example.com")
	reset.session()
	require.Equal(t, 422, reset.do("POST", "/bff/password-links/use", `{"password":"p"}`).status)
	a = reset.do("POST", "/bff/password-links/use", `{"token":"x","password":"p"}`)
	require.Equal(t, 202, a.status, a.body)
	require.JSONEq(t, `{"challenge":"c1","methods":["totp"],"expiresAt":"2030-01-01T00:00:00Z"}`, a.body)
	require.Empty(t, a.header.Values("Set-Cookie"))
	require.False(t, reset.session().SignedIn)
	require.Equal(t, 200, reset.do("POST", "/bff/sign-in/second-step", `{"challenge":"c1","totp":"123456"}`).status)
	require.True(t, reset.session().SignedIn)
	require.Equal(t, 200, reset.do("POST", "/bff/sign-in/passkey", `{"challenge":"c1","passkey":{}}`).status)
}

// What is sent is held against the document that is served.
func TestTheDocumentHolds(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	a := b.do("GET", "/openapi.yaml", "")
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, "operationId: signInOnce")
	b.session()
	for name, c := range map[string]struct{ method, path, body, field string }{
		"a field is missing": {"POST", "/bff/sign-in", `{"email":"ada@example.com"}`, "/password"},
		"one too many":       {"POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right","admin":true}`, "/admin"},
		"another type":       {"POST", "/bff/sign-in/one-time", `{"code":7}`, "/code"},
		"too long":           {"POST", "/bff/sign-in/one-time", `{"code":"` + strings.Repeat("x", 129) + `"}`, "/code"},
		"no such parameter":  {"GET", "/bff/session?who=1", "", "/who"},
		"no such topic":      {"GET", "/bff/live?topics=apis,weather", "", "/topics"},
	} {
		a := b.do(c.method, c.path, c.body)
		require.Equal(t, 422, a.status, "%s: %s", name, a.body)
		require.Equal(t, problem.ContentType, a.header.Get("Content-Type"), name)
		require.Contains(t, a.body, `"pointer":"`+c.field, name)
	}
	large := b.do("POST", "/bff/sign-in", `{"email":"`+strings.Repeat("x", 80<<10)+`","password":"right"}`)
	require.Equal(t, problem.CodeBodyTooLarge, code(t, large))
}

func TestOtherSitesCannotWrite(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.session()
	right := `{"email":"ada@example.com","password":"right"}`
	for name, header := range map[string][]string{
		"another origin":      {"Origin", "https://evil.example"},
		"no origin at all":    {"Origin", "null"},
		"another site":        {"Sec-Fetch-Site", "cross-site"},
		"the same site":       {"Sec-Fetch-Site", "same-site"},
		"a form has no field": {"X-Gatehouse-CSRF", ""},
	} {
		require.Equal(t, problem.CodeAccessDenied, code(t, b.do("POST", "/bff/sign-in", right, header...)), name)
	}
	require.Equal(t, 200, b.do("POST", "/bff/sign-in", right, "Origin", "http://"+admin, "Sec-Fetch-Site", "same-origin").status)
	before := b.csrf
	b.session()
	require.NotEqual(t, before, b.csrf)
	write := func(header ...string) answer {
		return b.do("POST", "/api/gateway-manager/v1/apis", `{"a":1}`, header...)
	}
	require.Equal(t, 200, write().status)
	require.Equal(t, 200, b.do("GET", "/api/gateway-manager/v1/apis", "").status)
	for name, header := range map[string][]string{
		"another origin":  {"Origin", "https://evil.example"},
		"none":            {"X-Gatehouse-CSRF", ""},
		"another's":       {"X-Gatehouse-CSRF", before},
		"of nobody":       {"X-Gatehouse-CSRF", "anonymous"},
		"of another site": {"Sec-Fetch-Site", "cross-site"},
	} {
		require.Equal(t, problem.CodeAccessDenied, code(t, write(header...)), name)
	}
	require.Equal(t, problem.CodeAccessDenied, code(t, b.do("POST", "/bff/sign-out", "", "X-Gatehouse-CSRF", "anonymous")))
	require.True(t, b.session().SignedIn)
}

func TestRequestsGoToTheServices(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *bff.Config) {
		c.Organizations = map[string]string{"developers.globex.example": "globex"}
	})
	b := w.browser(admin)
	b.signIn()
	a := b.do("POST", "/api/gateway-manager/v1/apis/a%2Fb?q=x%20y", `{"a":1}`, "Idempotency-Key", "k1", "X-Forwarded-For", "6.6.6.6", "X-Gatehouse-Organization", "evil", "X-Request-Id", "mine", "Connection", "X-Hop", "X-Hop", "1")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, `{"a":1}`, a.body)
	r := w.last()
	require.Equal(t, "/api/v1/apis/a%2Fb?q=x%20y", r.RequestURI)
	require.Equal(t, "k1", r.Header.Get("Idempotency-Key"))
	require.True(t, strings.HasPrefix(r.Header.Get("Authorization"), "Bearer eyJ"))
	require.Equal(t, "acme", r.Header.Get("X-Gatehouse-Organization"))
	for _, name := range []string{"Cookie", "X-Forwarded-For", "X-Gatehouse-Csrf", "X-Hop"} {
		require.Empty(t, r.Header.Get(name), name)
	}
	require.NotEqual(t, "mine", r.Header.Get("X-Request-Id"))
	require.Equal(t, []string{r.Header.Get("X-Request-Id")}, a.header.Values("X-Request-Id"))
	require.NotEmpty(t, r.Header.Get("Traceparent"))
	require.Equal(t, "127.0.0.1", strings.SplitN(r.RemoteAddr, ":", 2)[0])
	require.Empty(t, a.header.Get("Set-Cookie"))
	require.Equal(t, "/api/gateway-manager/v1/apis/1", a.header.Get("Location"))

	visitor := w.browser("developers.example.com")
	require.Equal(t, 200, visitor.do("GET", "/api/gateway-manager/v1/apis", "", "Cookie", "gatehouse="+strings.Repeat("x", 43)).status)
	require.Empty(t, w.last().Header.Get("Authorization"), "the service decides what visitors may do")
	require.Equal(t, "default", w.last().Header.Get("X-Gatehouse-Organization"))
	require.Equal(t, 200, w.browser("developers.globex.example").do("GET", "/api/gateway-manager/v1/apis", "").status)
	require.Equal(t, "globex", w.last().Header.Get("X-Gatehouse-Organization"), "a host name can be another organization's")

	// Who signs in there does so at that organization, unless they name another one.
	for _, c := range []struct{ host, more, want string }{
		{"developers.globex.example", "", `"organization":"globex"`},
		{"developers.globex.example", `,"organization":"acme"`, `"organization":"acme"`},
		{"developers.example.com", "", `"password":"right"}`},
	} {
		at := w.browser(c.host)
		require.Equal(t, 200, at.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"`+c.more+`}`, "X-Gatehouse-CSRF", at.session().CSRF).status)
		require.Contains(t, w.lastLogin, c.want)
		require.Equal(t, strings.Contains(c.want, "organization"), strings.Contains(w.lastLogin, "organization"))
	}

	// Command lines have no cookie, and need no proof that they are a page.
	cli := w.browser("127.0.0.1:8080")
	token := w.tenants.Token(t, authn.Principal{Organization: "o1", Subject: "ada"})
	require.Equal(t, 200, cli.do("POST", "/api/gateway-manager/v1/apis", `{}`, "Authorization", "Bearer "+token).status)
	require.Equal(t, "Bearer "+token, w.last().Header.Get("Authorization"))
	for range 3 {
		require.Equal(t, 200, cli.do("POST", "/api/gateway-manager/v1/apis", `{}`, "Authorization", "Bearer ght_good").status)
		require.True(t, strings.HasPrefix(w.last().Header.Get("Authorization"), "Bearer eyJ"))
	}
	require.Equal(t, 1, w.exchange, "an access token is used for as long as it is valid")
	require.Equal(t, problem.CodeCredentialInvalid, code(t, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Bearer ght_bad")))
	require.Equal(t, 200, cli.do("POST", "/api/gateway-manager/v1/apis", `{}`, "Authorization", "Bearer ghp_good").status, "people's tokens are exchanged, too")
	require.Equal(t, problem.CodeCredentialInvalid, code(t, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Bearer ghp_bad")))
	for range 2 { // what is kept is held to it, too
		require.Equal(t, problem.CodeAddressDenied, code(t, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Bearer ghp_office")))
	}
	require.Equal(t, problem.CodeCredentialInvalid, code(t, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Basic eA==")))

	// Access tokens of an authorization server are exchanged as well, in both forms; what
	// only looks like one is not.
	head := func(says string) string { return base64.RawURLEncoding.EncodeToString([]byte(says)) }
	before := w.exchange
	for _, access := range []string{"gha_good", head(`{"alg":"EdDSA","typ":"at+jwt","kid":"k"}`) + ".good.x", head(`{"typ":"application/AT+JWT"}`) + ".good.x"} {
		for range 2 {
			require.Equal(t, 200, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Bearer "+access).status)
			require.NotContains(t, w.last().Header.Get("Authorization"), access)
		}
	}
	require.Equal(t, before+3, w.exchange)
	require.Contains(t, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Bearer gha_bad").body, "no such access token")
	for _, access := range []string{"x.good.x", head(`{"typ":"JWT"}`) + ".good.x", head(`{"typ":"at+jwt"}`) + ".good", head(`{"typ":"at+jwt"}`) + ".good." + strings.Repeat("x", 9000), head(`[]`) + ".good.x"} {
		cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "Bearer "+access)
		require.Equal(t, "Bearer "+access, w.last().Header.Get("Authorization"), "the service says what is wrong with it")
	}
	require.Equal(t, before+3, w.exchange)
	require.Contains(t, cli.do("GET", "/api/gateway-manager/v1/apis", "", "Authorization", "DPoP gha_good").body, "bound to a key")

	require.Equal(t, problem.CodeDependencyDown, code(t, cli.do("GET", "/api/policy-manager/v1/policies", "")), "nobody is there")
	for _, path := range []string{"/api/bff/v1/x", "/api/evil/v1/x", "/api/gateway-manager/v2/x", "/api/gateway-manager", "/api/gateway%2Dmanager/v1/x", "/api/"} {
		require.Equal(t, problem.CodeNotFound, code(t, cli.do("GET", path, "")), path)
	}
}

func TestSessionsInRedis(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true, Password: "hunter2"})
	w := start(t, func(c *bff.Config) {
		c.Sessions.Redis = &bff.Redis{Addresses: []string{server.Addr}, Password: schema.NewSecret("hunter2"), Prefix: "test:"}
	})
	b := w.browser(admin)
	b.signIn()
	require.True(t, b.session().SignedIn)
	keys, err := server.Do("KEYS", "test:gatehouse:session:*")
	require.NoError(t, err)
	require.Contains(t, keys, "test:gatehouse:session:")
	server.Kill()
	require.Equal(t, problem.CodeDependencyDown, code(t, b.do("GET", "/bff/session", "")))
	require.Equal(t, problem.CodeDependencyDown, code(t, b.do("GET", "/api/gateway-manager/v1/apis", "")), "signed in or not cannot be told")
	server.Restart()
	require.Eventually(t, func() bool { return b.do("GET", "/bff/session", "").status == 200 }, 10*time.Second, 20*time.Millisecond)
}

func TestAConfigurationWithoutAKey(t *testing.T) {
	t.Parallel()
	c := bff.DefaultConfig()
	require.Len(t, c.Validate(), 1)
	c.Secrets.Keyring = schema.NewSecret("k1:x")
	require.Empty(t, c.Validate())
}
