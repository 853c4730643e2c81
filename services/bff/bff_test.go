package bff_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/bff"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an installation with a tenant-manager and a gateway-manager that show
// what they are asked.
type world struct {
	t       *testing.T
	tenants *authntest.Tenants
	fleet   *bus.Bus
	bff     string // address
	stop    func() error

	mu        sync.Mutex
	asked     []*http.Request // of gateway-manager
	exchange  int
	logins    int
	ended     bool // tenant-manager takes no token any more
	lastIP    string
	lastLogin string // what was sent
	// lastDevice is the secret of the browser that was told with it.
	lastDevice string
	// limited says that tenant-manager holds every address after some requests;
	// held counts them, by address.
	limited bool
	held    map[string]int
}

func start(t *testing.T, change func(*bff.Config)) *world {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		authntest.Access(), {Service: gateway.Service}, bff.Access(),
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	connect := func(name string) *bus.Bus {
		b, err := bus.Connect(server.For(name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
		return b
	}
	w := &world{t: t, tenants: authntest.New(t), fleet: connect(gateway.Service)}
	identity := connect(tenant.Service)
	w.tenants.Serve(t, identity)
	w.tenants.Grant(t, "o1", "ada", tenant.Grant{Permissions: []string{"*"}})
	require.NoError(t, bus.Serve(identity, tenant.Service, w.limits(w.tenantManager())))
	require.NoError(t, bus.Serve(w.fleet, gateway.Service, w.gatewayManager()))

	cfg := bff.DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	cfg.InProcess = server
	o := server.For(bff.Name)
	cfg.Bus.Username, cfg.Bus.Password = o.Username, schema.NewSecret(o.Password)
	cfg.Secrets.Keyring = schema.NewSecret(secret.NewKey("k1"))
	cfg.Frontend = func(name string) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "of the page")
			_, _ = io.WriteString(w, name+" "+r.URL.Path)
		}), nil
	}
	addr := make(chan net.Addr, 1)
	cfg.Listening = func(a net.Addr) { addr <- a }
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, app.Options{Log: slog.New(slog.DiscardHandler)}, bff.Part(cfg)) }()
	select {
	case a := <-addr:
		w.bff = a.String()
	case err := <-ended:
		require.NoError(t, err, "it did not start")
	}
	w.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { require.NoError(t, w.stop()) })
	return w
}

func (w *world) tenantManager() http.Handler {
	m := http.NewServeMux()
	tokens := func(rw http.ResponseWriter) {
		w.mu.Lock()
		w.logins++
		refresh := "refresh-" + strconv.Itoa(w.logins)
		w.mu.Unlock()
		access := w.tenants.Token(w.t, authn.Principal{Organization: "o1", OrganizationSlug: "acme", Subject: "ada", Session: "s-ada"})
		_ = json.NewEncoder(rw).Encode(map[string]any{
			"accessToken": access, "expiresIn": 300, "refreshToken": refresh, "session": "s-ada",
			"user": map[string]string{"id": "ada"}, "organization": map[string]string{"id": "o1", "slug": "acme"},
		})
	}
	m.HandleFunc("POST /api/v1/sign-in", func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		w.lastIP, _, _ = net.SplitHostPort(r.RemoteAddr)
		w.lastLogin, w.lastDevice = string(b), r.Header.Get(tenant.Device)
		w.mu.Unlock()
		if !bytes.Contains(b, []byte("right")) {
			problem.New(problem.CodeRateLimited, "too often").WithRetryAfter(7 * time.Second).Write(rw)
			return
		}
		tokens(rw)
	})
	m.HandleFunc("POST /api/v1/sign-in/second-step", func(rw http.ResponseWriter, _ *http.Request) { tokens(rw) })
	m.HandleFunc("POST /api/v1/sign-in/passkey", func(rw http.ResponseWriter, _ *http.Request) { tokens(rw) })
	m.HandleFunc("POST /api/v1/password-links/by-token/{token}/use", func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(rw, `{"challenge":"c1","methods":["totp"],"expiresAt":"2030-01-01T00:00:00Z"}`)
	})
	m.HandleFunc("POST /api/v1/sign-in/one-time", func(rw http.ResponseWriter, _ *http.Request) { tokens(rw) })
	m.HandleFunc("POST /api/v1/invitations/by-token/{token}/accept", func(rw http.ResponseWriter, r *http.Request) {
		if r.PathValue("token") != "a/b" {
			problem.New(problem.CodeNotFound, "no such invitation").Write(rw)
			return
		}
		tokens(rw)
	})
	providers(m, tokens)
	samlSide(m)
	w.actingSide(m)
	w.otherSide(m)
	m.HandleFunc("POST /api/v1/sign-out", func(rw http.ResponseWriter, r *http.Request) {
		if w.asVic(r) {
			w.tenants.Revoke(w.t, "o1", "s-vic")
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		w.tenants.Revoke(w.t, "o1", "s-ada")
		rw.WriteHeader(http.StatusNoContent)
	})
	show := func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Set-Cookie", "stolen=1")
		_, _ = io.WriteString(rw, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization")+"|"+r.Header.Get("Cookie")+"|"+r.Header.Get("X-Gatehouse-Organization"))
		if told := r.Header.Get(tenant.ClientCertificate); told != "" {
			_, _ = io.WriteString(rw, " with "+told)
		}
	}
	m.HandleFunc("/oauth/", show)
	m.HandleFunc("/scim/", show)
	m.HandleFunc("/.well-known/", show)
	m.HandleFunc("GET /api/v1/setup", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, `{"required":true}`) })
	m.HandleFunc("GET /api/v1/me", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		ended := w.ended
		w.mu.Unlock()
		if ended || r.Header.Get("Authorization") == "" {
			authn.Missing().Write(rw)
			return
		}
		if w.asVic(r) {
			_, _ = io.WriteString(rw, `{"user":{"id":"vic","name":"Vic","email":"vic@example.com"},"organization":{"id":"o1","slug":"acme","name":"Acme"},"permissions":[],`+
				`"impersonation":{"impersonator":{"id":"ada","name":"Ada"},"until":"2031-01-01T00:00:00Z"}}`)
			return
		}
		_, _ = io.WriteString(rw, `{"user":{"id":"ada","name":"Ada","email":"ada@example.com"},"organization":{"id":"o1","slug":"acme","name":"Acme"},"permissions":["*"]}`)
	})
	m.HandleFunc("POST /api/v1/token/personal", func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if bytes.Contains(b, []byte("ghp_office")) {
			access := w.tenants.Token(w.t, authn.Principal{Organization: "o1", Subject: "ada", Kind: authn.User, Token: "laptop"})
			_ = json.NewEncoder(rw).Encode(map[string]any{"accessToken": access, "expiresIn": 300, "allowedAddresses": []string{"10.0.0.0/8"}})
			return
		}
		if !bytes.Contains(b, []byte("ght_good")) && !bytes.Contains(b, []byte("ghp_good")) {
			problem.New(problem.CodeCredentialInvalid, "no such token").Write(rw)
			return
		}
		w.mu.Lock()
		w.exchange++
		w.mu.Unlock()
		access := w.tenants.Token(w.t, authn.Principal{Organization: "o1", Subject: "robot", Kind: authn.ServiceAccount})
		_ = json.NewEncoder(rw).Encode(map[string]any{"accessToken": access, "expiresIn": 300})
	})
	return m
}

func (w *world) gatewayManager() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/api/v1/", func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		w.mu.Lock()
		w.asked = append(w.asked, r)
		w.mu.Unlock()
		rw.Header().Set("Set-Cookie", "stolen=1")
		rw.Header().Set("Location", "/api/v1/apis/1")
		rw.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
		_, _ = rw.Write(b)
	})
	m.HandleFunc("GET /api/v1/stream", func(rw http.ResponseWriter, r *http.Request) {
		e, err := httpx.NewEvents(rw)
		if err == nil {
			_ = e.Send("hello", "", 1)
		}
		<-r.Context().Done()
	})
	return m
}

func (w *world) last() *http.Request {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(w.t, w.asked)
	return w.asked[len(w.asked)-1]
}

// browser is one that keeps cookies, at a host name.
type browser struct {
	w      *world
	host   string
	csrf   string
	client *http.Client
}

func (w *world) browser(host string) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", w.bff)
	}}
	w.t.Cleanup(tr.CloseIdleConnections)
	return &browser{w: w, host: host, client: &http.Client{Jar: jar, Transport: tr}}
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (b *browser) do(method, path, body string, header ...string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, "http://"+b.host+path, strings.NewReader(body))
	require.NoError(b.w.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if b.csrf != "" && method != "GET" {
		r.Header.Set("X-Gatehouse-CSRF", b.csrf)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(r)
	require.NoError(b.w.t, err)
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	require.NoError(b.w.t, err)
	return answer{res.StatusCode, string(got), res.Header}
}

type view struct {
	SignedIn      bool
	User          struct{ Name string }
	Organization  struct{ Slug string }
	Permissions   []string
	CSRF          string
	SetupRequired bool
	Apps          map[string]string
}

func (b *browser) session() view {
	b.w.t.Helper()
	a := b.do("GET", "/bff/session", "")
	require.Equal(b.w.t, 200, a.status, a.body)
	var v view
	require.NoError(b.w.t, json.Unmarshal([]byte(a.body), &v))
	b.csrf = v.CSRF
	return v
}

func (b *browser) signIn() {
	b.w.t.Helper()
	b.session()
	a := b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`)
	require.Equal(b.w.t, 200, a.status, a.body)
	b.session()
}

func code(t *testing.T, a answer) problem.Code {
	t.Helper()
	var p problem.Problem
	require.NoError(t, json.Unmarshal([]byte(a.body), &p), a.body)
	require.Equal(t, a.status, p.Status)
	return p.Code
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

	require.Equal(t, problem.CodeDependencyDown, code(t, cli.do("GET", "/api/policy-manager/v1/policies", "")), "nobody is there")
	for _, path := range []string{"/api/bff/v1/x", "/api/evil/v1/x", "/api/gateway-manager/v2/x", "/api/gateway-manager", "/api/gateway%2Dmanager/v1/x", "/api/"} {
		require.Equal(t, problem.CodeNotFound, code(t, cli.do("GET", path, "")), path)
	}
}

func TestHostNamesLeadToTheApps(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *bff.Config) { c.Apps.Tenant = "id.example.org" })
	for host, want := range map[string]string{
		"apim-admin.localhost:8080": "admin-console /orders/1", "APIM-ADMIN.example.com": "admin-console /orders/1",
		"id.example.org": "tenant-console /orders/1", "developers.localhost": "developer-portal /orders/1",
	} {
		a := w.browser(host).do("GET", "/orders/1", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, want, a.body)
		require.Equal(t, []string{"of the page"}, a.header.Values("Content-Security-Policy"))
	}
	for _, host := range []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080"} {
		a := w.browser(host).do("GET", "/", "")
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, a.body, `href="http://apim-admin.localhost:8080"`)
		require.Contains(t, a.body, `href="http://id.example.org:8080"`)
		require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'nonce-")
	}
	require.Equal(t, 404, w.browser("127.0.0.1").do("GET", "/orders", "").status)
	for path, status := range map[string]int{"/health/alive": 200, "/metrics": 404, "/version": 404} {
		require.Equal(t, status, w.browser("127.0.0.1").do("GET", path, "").status, path)
	}
}

// A bff for the internet may serve the portal alone.
func TestAnAppThatIsNotServedHere(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *bff.Config) { c.Apps = bff.Apps{Portal: "developers.*"} })
	require.Equal(t, 404, w.browser(admin).do("GET", "/apis", "").status)
	b := w.browser("developers.example.com")
	require.Equal(t, 200, b.do("GET", "/apis", "").status)
	require.Equal(t, map[string]string{"portal": "http://developers.example.com"}, b.session().Apps)
}

// The authorization server is at the auth console's host alone; it is told who
// uses a browser, and of cookies nothing.
func TestTheAuthorizationServer(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	require.Equal(t, 200, w.browser("auth-admin.example.com").do("GET", "/", "").status)
	for _, path := range []string{"/oauth/acme/token", "/.well-known/oauth-authorization-server/oauth/acme"} {
		require.Equal(t, 404, w.browser(admin).do("GET", path, "").status, path)
	}
	b := w.browser("auth-admin.example.com")
	a := b.do("POST", "/oauth/acme/token", "a=b", "Authorization", "Basic eDp5", "X-Gatehouse-Organization", "x", "Cookie", "gatehouse=x")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "POST /oauth/acme/token Basic eDp5||", a.body)
	require.Empty(t, a.header.Values("Set-Cookie"))
	a = b.do("GET", "/oauth/acme/authorize?x=1", "", "Authorization", "Bearer forged")
	require.Equal(t, "GET /oauth/acme/authorize?x=1 ||", a.body, "nobody is signed in")
	b.session()
	require.Equal(t, 200, b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`).status)
	a = b.do("GET", "/oauth/acme/authorize?x=1", "")
	require.Regexp(t, `^GET /oauth/acme/authorize\?x=1 Bearer ey[^|]+\|\|$`, a.body)
	a = b.do("GET", "/oauth/acme/userinfo", "")
	require.Equal(t, "GET /oauth/acme/userinfo ||", a.body, "the session is for the pages that browsers are sent to")
	a = b.do("GET", "/.well-known/oauth-authorization-server/oauth/acme", "")
	require.Equal(t, "GET /.well-known/oauth-authorization-server/oauth/acme ||", a.body)
}

// Directories of identity providers come in at every app's host with a token of their
// own: who uses the browser says nothing.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.session()
	require.Equal(t, 200, b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`).status)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		a := b.do(method, "/scim/v2/Users?filter=userName+eq+%22a%22", "", "Authorization", "Bearer ghs_x", "X-Gatehouse-Organization", "x")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, method+" /scim/v2/Users?filter=userName+eq+%22a%22 Bearer ghs_x||", a.body)
		require.Empty(t, a.header.Values("Set-Cookie"))
	}
	require.Equal(t, "GET /scim/v2/Users/x%2Fy ||", b.do("GET", "/scim/v2/Users/x%2Fy", "").body, "the session is not for it")
}

// A browser is known again at which somebody has signed in, and only then keeps
// anything for it.
func TestABrowserIsKnownAgain(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.session()
	told := func(b *browser, password string) (string, answer) {
		a := b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"`+password+`"}`, tenant.Device, strings.Repeat("x", 52))
		w.mu.Lock()
		defer w.mu.Unlock()
		require.GreaterOrEqual(t, len(w.lastDevice), 43)
		require.NotContains(t, w.lastDevice, "xxx", "what pages send for it is not passed on")
		return w.lastDevice, a
	}
	before, a := told(b, "wrong")
	require.Empty(t, a.header.Values("Set-Cookie"))
	first, a := told(b, "right")
	require.NotEqual(t, before, first)
	require.Regexp(t, `^gatehouse-device=`+first+`; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax$`, a.header.Values("Set-Cookie")[1])
	require.NotContains(t, a.body, first)
	b.session()
	require.Equal(t, 204, b.do("POST", "/bff/sign-out", "").status)
	b.session()
	again, _ := told(b, "right")
	require.Equal(t, first, again, "also after signing out")
	other := w.browser(admin)
	other.session()
	another, _ := told(other, "right")
	require.NotEqual(t, first, another)
}

// Only a proxy that is named is believed.
func TestWhoCallsBehindAProxy(t *testing.T) {
	t.Parallel()
	var proxy schema.CIDR
	require.NoError(t, proxy.UnmarshalText([]byte("127.0.0.1")))
	w := start(t, func(c *bff.Config) { c.TrustedProxies = []schema.CIDR{proxy} })
	b := w.browser(admin)
	b.session()
	a := b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`, "X-Forwarded-For", "6.6.6.6, 198.51.100.7, 127.0.0.1", "X-Forwarded-Proto", "https", "Origin", "https://"+admin)
	require.Equal(t, 200, a.status, a.body)
	require.Regexp(t, `^__Host-gatehouse=[A-Za-z0-9_-]{43}; Path=/; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`, a.header.Get("Set-Cookie"))
	require.Len(t, a.header.Values("Set-Cookie"), 2)
	for _, set := range a.header.Values("Set-Cookie") {
		require.Contains(t, set, "__Host-gatehouse")
		require.Contains(t, set, "; Secure")
		require.Contains(t, set, "Path=/;")
		require.NotContains(t, set, "Domain")
	}
	ours := strings.SplitN(a.header.Get("Set-Cookie"), ";", 2)[0]
	signedIn := func(cookie string) bool {
		var v view
		a := w.browser(admin).do("GET", "/bff/session", "", "X-Forwarded-Proto", "https", "Cookie", cookie)
		require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
		return v.SignedIn
	}
	require.True(t, signedIn(ours))
	require.False(t, signedIn(strings.TrimPrefix(ours, "__Host-")), "a neighbour could have set that")
	require.Contains(t, a.body, "https://tenant-admin.example.com:8443")
	require.Equal(t, "198.51.100.7", w.lastIP)
	require.Contains(t, b.do("GET", "/", "", "X-Forwarded-Proto", "https").header.Get("Strict-Transport-Security"), "max-age")
}

// The certificate that a client has shown is told to the authorization server by a
// proxy that is named, where that is set, and by nobody else.
func TestCertificatesOfClients(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	require.NoError(t, err)
	told := ":" + base64.StdEncoding.EncodeToString(der) + ":"
	escaped := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	var near, far schema.CIDR
	require.NoError(t, near.UnmarshalText([]byte("127.0.0.1")))
	require.NoError(t, far.UnmarshalText([]byte("192.0.2.1")))
	for name, c := range map[string]struct {
		proxy  schema.CIDR
		header string
		sent   []string
		want   string
	}{
		"told":               {near, "Ssl-Client-Cert", []string{"Ssl-Client-Cert", escaped, "X-Forwarded-For", "198.51.100.7"}, " with " + told},
		"no certificate":     {near, "Ssl-Client-Cert", []string{"Ssl-Client-Cert", "x"}, ""},
		"by another peer":    {far, "Ssl-Client-Cert", []string{"Ssl-Client-Cert", escaped}, ""},
		"not set":            {near, "", []string{"Ssl-Client-Cert", escaped}, ""},
		"under our own name": {near, "Ssl-Client-Cert", []string{tenant.ClientCertificate, told}, ""},
	} {
		w := start(t, func(b *bff.Config) { b.TrustedProxies, b.ClientCertificateHeader = []schema.CIDR{c.proxy}, c.header })
		a := w.browser("auth-admin.example.com").do("POST", "/oauth/acme/token", "a=b", c.sent...)
		require.Equal(t, "POST /oauth/acme/token ||"+c.want, a.body, name)
	}
}

// stream is an open stream of events.
type stream struct {
	body  io.ReadCloser
	lines *bufio.Scanner
}

func (b *browser) open(path string, header ...string) (*stream, int) {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), "GET", "http://"+b.host+path, nil)
	require.NoError(b.w.t, err)
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(r)
	require.NoError(b.w.t, err)
	b.w.t.Cleanup(func() { _ = res.Body.Close() })
	return &stream{res.Body, bufio.NewScanner(res.Body)}, res.StatusCode
}

// next returns the next event, and false at the end.
func (s *stream) next() (name, data string, ok bool) {
	for s.lines.Scan() {
		switch line := s.lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		case line == "" && name != "":
			return name, data, true
		}
	}
	return "", "", false
}

func TestPagesAreToldWhatChanges(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	_, status := b.open("/bff/live")
	require.Equal(t, 401, status)
	b.signIn()
	_, status = b.open("/bff/live?topics=apis,nonsense")
	require.Equal(t, 422, status)
	all, status := b.open("/bff/live?topics=deployments,apis,gateways,traffic")
	require.Equal(t, 200, status)
	fleet, status := b.open("/bff/live?topics=gateways")
	require.Equal(t, 200, status)
	// Who may not read APIs is told of no API.
	w.tenants.Grant(t, "o1", "eve", tenant.Grant{Permissions: []string{"gateway:read"}})
	eve, status := w.browser(admin).open("/bff/live", "Authorization", "Bearer "+w.tenants.Token(t, authn.Principal{Organization: "o1", Subject: "eve"}))
	require.Equal(t, 200, status)

	publish := func(e bus.Event) { require.NoError(t, bus.Publish(t.Context(), w.fleet, e)) }
	publish(gateway.APIChanged{Organization: "o2", API: "theirs"})
	publish(gateway.APIChanged{Organization: "o1", API: "ours"})
	publish(gateway.FleetChanged{Organization: "o1", Group: "g1"})
	got := map[string]string{}
	for range 2 { // the kinds come by ways of their own, in any order
		name, data, ok := all.next()
		require.True(t, ok)
		got[name] = data
	}
	require.JSONEq(t, `{"organization":"o1","api":"ours"}`, got["api-changed"])
	require.JSONEq(t, `{"organization":"o1","group":"g1"}`, got["fleet-changed"])
	for _, s := range []*stream{fleet, eve} {
		name, _, ok := s.next()
		require.True(t, ok)
		require.Equal(t, "fleet-changed", name)
	}

	// Streams of services are passed on as they come, and none holds up the end.
	theirs, status := b.open("/api/gateway-manager/v1/stream")
	require.Equal(t, 200, status)
	name, _, ok := theirs.next()
	require.True(t, ok)
	require.Equal(t, "hello", name)
	begun := time.Now()
	require.NoError(t, w.stop())
	require.Less(t, time.Since(begun), 5*time.Second)
	_, _, ok = all.next()
	require.False(t, ok)
}

// A session that an administrator ends is over here as well, also for a page
// that only listens.
func TestASessionIsEndedElsewhere(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.signIn()
	s, status := b.open("/bff/live?topics=gateways")
	require.Equal(t, 200, status)
	w.tenants.Revoke(t, "o1", "s-ada")
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	for ok := true; ok; { // until the bff has heard of it
		require.NoError(t, bus.Publish(t.Context(), w.fleet, gateway.FleetChanged{Organization: "o1"}))
		_, _, ok = s.next()
	}
	v := b.session()
	require.False(t, v.SignedIn)
	require.Equal(t, "anonymous", v.CSRF)
	u, err := url.Parse("http://" + admin)
	require.NoError(t, err)
	left := b.client.Jar.Cookies(u)
	require.Len(t, left, 1, "the cookie is taken back")
	require.Equal(t, "gatehouse-device", left[0].Name)
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
