package session_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
)

// issuer issues tokens as tenant-manager does: a refresh token works once, and
// one that comes again ends the session.
type issuer struct {
	mu        sync.Mutex
	n         int
	refresh   string // the only one that works
	ended     bool
	refreshes int
	revoked   map[string]bool // access tokens
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var in map[string]string
	_ = json.NewDecoder(r.Body).Decode(&in)
	refuse := func() { problem.New(problem.CodeCredentialInvalid, "no").Write(w) }
	switch strings.TrimPrefix(r.URL.Path, session.Tokens) {
	case "/sign-in":
		if in["password"] != "sesame" {
			refuse()
			return
		}
	case "/token/refresh":
		i.refreshes++
		if i.ended || in["refreshToken"] != i.refresh {
			i.ended = true
			refuse()
			return
		}
	case "/token/personal":
		if in["token"] != "ght_abc" {
			refuse()
			return
		}
	default: // an API
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if i.revoked[token] || !strings.HasPrefix(token, "access-") {
			refuse()
			return
		}
		_, _ = w.Write([]byte(`{"token":"` + token + `","body":"` + in["name"] + `"}`))
		return
	}
	i.n++
	n := strconv.Itoa(i.n)
	out := map[string]any{"accessToken": "access-" + n, "expiresIn": 300, "user": map[string]string{"email": "ada@example.com"}, "organization": map[string]string{"name": "Acme"}}
	if r.URL.Path != session.Tokens+"/token/personal" {
		i.refresh = "refresh-" + n
		out["refreshToken"] = i.refresh
	}
	_ = json.NewEncoder(w).Encode(out)
}

type world struct {
	issuer *issuer
	url    string
	dir    string
	clock  *testkit.Clock
	env    map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{issuer: &issuer{revoked: map[string]bool{}}, dir: t.TempDir(), clock: testkit.NewClock()}
	s := httptest.NewServer(w.issuer)
	t.Cleanup(s.Close)
	w.url = s.URL
	w.env = map[string]string{"XDG_CONFIG_HOME": w.dir}
	return w
}

func (w *world) open(t *testing.T) *session.Session {
	t.Helper()
	s, err := session.Open(session.Options{Environ: func(k string) string { return w.env[k] }, Now: w.clock.Now})
	require.NoError(t, err)
	return s
}

// ask calls an API and returns the token that it was called with.
func ask(ctx context.Context, s *session.Session, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/x", strings.NewReader(`{"name":"dune"}`))
	if err != nil {
		return "", err
	}
	res, err := s.Do(r)
	if err != nil {
		return "", err
	}
	var out struct{ Token, Body string }
	if err := session.Into(res, &out); err != nil {
		return "", err
	}
	if out.Body != "dune" {
		return "", problem.New(problem.CodeInternal, "the body was lost")
	}
	return out.Token, nil
}

func TestASessionOutlivesTheCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := ask(t.Context(), w.open(t), w.url)
	require.ErrorIs(t, err, session.ErrSignedOut)
	_, err = w.open(t).SignIn(t.Context(), w.url, "/sign-in", map[string]string{"password": "wrong"})
	require.True(t, problem.Is(err, problem.CodeCredentialInvalid))
	_, err = w.open(t).SignIn(t.Context(), w.url+"/", "/sign-in", map[string]string{"password": "sesame"})
	require.NoError(t, err)

	info, err := os.Stat(filepath.Join(w.dir, "gatehouse", "config.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, "ada@example.com", w.open(t).Profile().User)
	token, err := ask(t.Context(), w.open(t), w.url)
	require.NoError(t, err)
	require.Equal(t, "access-1", token, "it is used as long as it is good")
	w.clock.Advance(290 * time.Second)
	token, err = ask(t.Context(), w.open(t), w.url)
	require.NoError(t, err)
	require.Equal(t, "access-2", token, "it is renewed before it ends")

	w.issuer.mu.Lock()
	w.issuer.revoked["access-2"] = true
	w.issuer.mu.Unlock()
	token, err = ask(t.Context(), w.open(t), w.url)
	require.NoError(t, err)
	require.Equal(t, "access-3", token, "one that is refused is renewed, and the request sent again")

	w.issuer.mu.Lock()
	w.issuer.ended = true
	w.issuer.mu.Unlock()
	w.clock.Advance(time.Hour)
	_, err = ask(t.Context(), w.open(t), w.url)
	require.ErrorIs(t, err, session.ErrSignedOut)
	require.NoError(t, w.open(t).Forget())
	require.Empty(t, w.open(t).Profile().URL)
}

// Commands that run at the same time share one renewal: a second one with the
// same refresh token would end the session.
func TestCommandsAtTheSameTimeRenewOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.open(t).SignIn(t.Context(), w.url, "/sign-in", map[string]string{"password": "sesame"})
	require.NoError(t, err)
	w.clock.Advance(time.Hour)
	var wg sync.WaitGroup
	errs := make(chan error, 16)
	for range cap(errs) {
		s := w.open(t)
		wg.Go(func() {
			_, err := ask(t.Context(), s, w.url)
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 1, w.issuer.refreshes)
}

func TestScriptsUseTheEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["GATEHOUSE_URL"], w.env["GATEHOUSE_TOKEN"] = w.url, "ght_abc"
	token, err := ask(t.Context(), w.open(t), w.url)
	require.NoError(t, err)
	require.Equal(t, "access-1", token)
	_, err = os.Stat(filepath.Join(w.dir, "gatehouse", "config.json"))
	require.ErrorIs(t, err, os.ErrNotExist, "nothing is remembered")
	w.env["GATEHOUSE_TOKEN"] = "ghp_wrong"
	_, err = ask(t.Context(), w.open(t), w.url)
	require.ErrorIs(t, err, session.ErrSignedOut)
	w.env["GATEHOUSE_TOKEN"] = "access-7"
	token, err = ask(t.Context(), w.open(t), w.url)
	require.NoError(t, err)
	require.Equal(t, "access-7", token, "an access token is used as it is")
}

func TestAServiceAccountStaysSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.open(t).UseToken(t.Context(), w.url, "ght_abc")
	require.NoError(t, err)
	w.clock.Advance(time.Hour)
	token, err := ask(t.Context(), w.open(t), w.url)
	require.NoError(t, err)
	require.Equal(t, "access-2", token)
}

func TestWhatIsNoSuiteIsNamed(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	w := newWorld(t)
	_, err := w.open(t).SignIn(t.Context(), s.URL, "/sign-in", nil)
	require.ErrorContains(t, err, "is the address right?")
	require.NoError(t, os.MkdirAll(filepath.Join(w.dir, "gatehouse"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "gatehouse", "config.json"), []byte("{"), 0o600))
	_, err = session.Open(session.Options{Environ: func(k string) string { return w.env[k] }})
	require.ErrorContains(t, err, "delete the file and sign in again")
}
