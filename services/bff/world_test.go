package bff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	ended     bool     // tenant-manager takes no token any more
	endedOf   []string // sessions that were ended one by one
	lastIP    string
	lastLogin string // what was sent
	// lastDevice is the secret of the browser that was told with it.
	lastDevice string
	// limited says that tenant-manager holds every address after some requests;
	// held counts them, by address.
	limited bool
	held    map[string]int

	// signOutAddress is where tenant-manager sends browsers that sign out, nil =
	// nowhere; signedOutAt is what it was told of the last one.
	signOutAddress, signedOutAt atomic.Pointer[string]

	// isSetUp says that the first run lies behind.
	isSetUp   atomic.Bool
	authority *authority
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
		refresh, session := "refresh-"+strconv.Itoa(w.logins), "s-ada"
		if w.logins > 1 {
			session += "-" + strconv.Itoa(w.logins)
		}
		w.mu.Unlock()
		access := w.tenants.Token(w.t, authn.Principal{Organization: "o1", OrganizationSlug: "acme", Subject: "ada", Session: session})
		_ = json.NewEncoder(rw).Encode(map[string]any{
			"accessToken": access, "expiresIn": 300, "refreshToken": refresh, "session": session,
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
	w.serveAuthority(m, tokens)
	m.HandleFunc("POST /api/v1/sign-out", func(rw http.ResponseWriter, r *http.Request) {
		if w.asVic(r) {
			w.mu.Lock()
			w.endedOf = append(w.endedOf, "s-vic")
			w.mu.Unlock()
			w.tenants.Revoke(w.t, "o1", "s-vic")
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		if address := w.signOutAddress.Load(); address != nil { // revoking ends it for the whole test
			var in struct{ Origin, State string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			told := in.Origin + " " + in.State
			w.signedOutAt.Store(&told)
			_ = json.NewEncoder(rw).Encode(map[string]string{"address": *address})
			return
		}
		w.tenants.Revoke(w.t, "o1", sessionOf(r))
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
	m.HandleFunc("GET /api/v1/setup", func(rw http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]bool{"required": !w.isSetUp.Load()})
	})
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
	m.HandleFunc("POST /api/v1/token/access", func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if !bytes.Contains(b, []byte("good")) {
			problem.New(problem.CodeCredentialInvalid, "no such access token").Write(rw)
			return
		}
		w.mu.Lock()
		w.exchange++
		w.mu.Unlock()
		access := w.tenants.Token(w.t, authn.Principal{Organization: "o1", Subject: "ada", Kind: authn.User, Token: "Shop"})
		_ = json.NewEncoder(rw).Encode(map[string]any{"accessToken": access, "expiresIn": 300, "allowedAddresses": []string{"127.0.0.0/8"}})
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
