package reference

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/schema"
)

const (
	defaultRefresh  = time.Minute
	defaultTimeout  = 5 * time.Second
	defaultJWT      = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	maxAnswer       = 1 << 20
	signInPause     = 5 * time.Second // between sign-ins that do not help
	renewFraction   = 3               // a token is renewed when a third of its time is left
	shortestRenewal = time.Second
)

// vault asks Vault's HTTP API. It is safe for concurrent use.
//
// Five requests of it are used: reading a secret, three ways of getting a token,
// and renewing that.
type vault struct {
	cfg    VaultConfig
	base   *url.URL
	client *http.Client
	look   schema.Resolver // of token and secretId
	log    *slog.Logger
	now    func() time.Time

	mu    sync.Mutex // one sign-in at a time
	token token
}

// token is a token of Vault; its zero value is none.
type token struct {
	value string
	// got is when it was asked for, ends when it ends; zero = never.
	got, ends time.Time
	renewable bool
}

func newVault(cfg VaultConfig, look schema.Resolver, log *slog.Logger, now func() time.Time) (*vault, error) {
	u, err := url.Parse(strings.TrimSuffix(cfg.Address, "/"))
	if err != nil {
		return nil, fmt.Errorf("reading the address of Vault: %w", err)
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 5 * time.Second,
	}
	if cfg.CA != "" {
		pem, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities of Vault: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authorities of Vault: %s has no certificate in PEM", cfg.CA)
		}
	}
	if cfg.AppRole != nil { // its secret stays a reference, which the caller may resolve
		role := *cfg.AppRole
		cfg.AppRole = &role
	}
	timeout := cfg.Timeout.Std()
	if timeout == 0 {
		timeout = defaultTimeout
	}
	// A redirect would take the token to an address that nobody named.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &vault{
		cfg: cfg, base: u, look: look, log: log, now: now,
		client: &http.Client{Transport: t, Timeout: timeout, CheckRedirect: stay},
	}, nil
}

// statusError is an answer of Vault other than 200 and 204.
type statusError struct {
	status int
	said   []string
}

func (e *statusError) Error() string {
	text := "Vault answers " + strconv.Itoa(e.status)
	// It writes lists over several lines.
	if said := strings.Join(strings.Fields(strings.Join(e.said, "; ")), " "); said != "" {
		text += ": " + said[:min(len(said), 200)]
	}
	return text
}

func (e *statusError) Unwrap() error {
	switch s := e.status; {
	case s == http.StatusNotFound:
		return ErrNotFound
	case s == http.StatusForbidden || s == http.StatusUnauthorized || s == http.StatusBadRequest:
		return ErrDenied
	}
	return ErrUnavailable // sealed (503), standby, too many requests, redirects, failures
}

// ask makes a request. What is sent may be nil, and the answer is decoded into to.
func (v *vault) ask(ctx context.Context, method, at string, query url.Values, token string, send, to any) error {
	var body io.Reader
	if send != nil {
		b, err := json.Marshal(send)
		if err != nil {
			return fmt.Errorf("asking Vault: %w", err)
		}
		body = bytes.NewReader(b)
	}
	u := v.base.JoinPath("v1", at)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return fmt.Errorf("asking Vault: %w", err)
	}
	r.Header.Set("X-Vault-Request", "true")
	if token != "" {
		r.Header.Set("X-Vault-Token", token)
	}
	if v.cfg.Namespace != "" {
		r.Header.Set("X-Vault-Namespace", strings.Trim(v.cfg.Namespace, "/"))
	}
	res, err := v.client.Do(r)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Errorf("Vault at %s does not answer: %w: %w", v.base.Host, ErrUnavailable, err) //nolint:staticcheck // a name
	}
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("Vault at %s breaks off: %w: %w", v.base.Host, ErrUnavailable, err) //nolint:staticcheck // a name
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNoContent {
		var said struct {
			Errors []string `json:"errors"`
		}
		_ = json.Unmarshal(b, &said) // its status says it all
		return &statusError{status: res.StatusCode, said: said.Errors}
	}
	if to == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(to) != nil { // the error would show what was read
		return fmt.Errorf("Vault at %s answers what is no JSON: %w", v.base.Host, ErrUnavailable) //nolint:staticcheck // a name
	}
	return nil
}

// Read reads a field of a secret.
func (v *vault) Read(ctx context.Context, r Reference) (string, error) {
	t, err := v.valid(ctx)
	if err != nil {
		return "", err
	}
	value, err := v.read(ctx, r, t.value)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusForbidden {
		// It may have been revoked, or have lost a policy that a new one has.
		known := v.known(ctx, t.value, status)
		again, signErr := v.another(ctx, t, known)
		switch {
		case signErr != nil: // we are not known any longer, which says nothing of the secret
			return "", signErr
		case again.value != t.value || !again.got.Equal(t.got):
			return v.read(ctx, r, again.value)
		case !known:
			return "", fmt.Errorf("Vault does not know our token any longer; another is asked for soon: %w", ErrUnavailable) //nolint:staticcheck // a name
		}
	}
	return value, err
}

func (v *vault) read(ctx context.Context, r Reference, token string) (string, error) {
	var query url.Values
	if r.Version > 0 {
		query = url.Values{"version": {strconv.Itoa(r.Version)}}
	}
	var answer struct {
		Data struct {
			Data map[string]json.RawMessage `json:"data"`
		} `json:"data"`
	}
	// The parts of the path are escaped, each by itself.
	parts := strings.Split(r.Path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	at := url.PathEscape(r.Mount) + "/data/" + strings.Join(parts, "/")
	if err := v.ask(ctx, http.MethodGet, at, query, token, nil, &answer); err != nil {
		var status *statusError
		switch {
		case errors.As(err, &status) && status.status == http.StatusForbidden:
			return "", fmt.Errorf("%w: its policy must grant read on %s/data/%s", err, r.Mount, r.Path)
		case errors.As(err, &status) && status.status == http.StatusNotFound:
			return "", fmt.Errorf("Vault has no secret there, or this version was deleted: %w", ErrNotFound) //nolint:staticcheck // a name
		}
		return "", err
	}
	raw, ok := answer.Data.Data[r.Field]
	if !ok || string(raw) == "null" {
		return "", fmt.Errorf("the secret has no field %q: %w", r.Field, ErrNotFound)
	}
	value := string(raw) // numbers and the like stand for themselves
	if len(raw) > 0 && raw[0] == '"' {
		if json.Unmarshal(raw, &value) != nil {
			return "", fmt.Errorf("the field %q is no text: %w", r.Field, ErrUnavailable)
		}
	} else if len(raw) > 0 && (raw[0] == '{' || raw[0] == '[') {
		return "", fmt.Errorf("the field %q holds more than one value: %w", r.Field, ErrNotFound)
	}
	switch {
	case value == "":
		return "", fmt.Errorf("the field %q is empty: %w", r.Field, ErrNotFound)
	case len(value) > MaxSize:
		return "", fmt.Errorf("the field %q is larger than 64 KiB: %w", r.Field, ErrDenied)
	}
	return value, nil
}

// valid returns a token that has not ended.
func (v *vault) valid(ctx context.Context) (token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t := v.token; t.value != "" && (t.ends.IsZero() || v.now().Before(t.ends)) {
		return t, nil
	}
	return v.signIn(ctx)
}

// known reports whether Vault knows a token with which a request was refused. Some
// versions say so with the refusal.
func (v *vault) known(ctx context.Context, token string, refused *statusError) bool {
	if slices.ContainsFunc(refused.said, func(s string) bool { return strings.Contains(s, "invalid token") }) {
		return false
	}
	err := v.ask(ctx, http.MethodGet, "auth/token/lookup-self", nil, token, nil, nil)
	return !errors.Is(err, ErrDenied)
}

// another returns a token other than one that was refused. One that is known is
// replaced less often: another may be allowed no more.
func (v *vault) another(ctx context.Context, refused token, known bool) (token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	pause := shortestRenewal
	if known {
		pause = signInPause
	}
	if v.token.value != refused.value || v.now().Sub(refused.got) < pause {
		return v.token, nil
	}
	return v.signIn(ctx)
}

// auth is what Vault says of a token that it gives or renews.
type auth struct {
	Auth struct {
		ClientToken   string      `json:"client_token"`
		LeaseDuration json.Number `json:"lease_duration"`
		Renewable     bool        `json:"renewable"`
	} `json:"auth"`
}

func (v *vault) taken(value string, lease json.Number, renewable bool, asked time.Time) token {
	t := token{value: value, got: asked, renewable: renewable}
	if s, err := lease.Int64(); err == nil && s > 0 {
		t.ends = asked.Add(time.Duration(s) * time.Second)
	}
	return t
}

// signIn gets a token. v.mu is held. Where it gets none, that says nothing of the
// secrets: the error is [ErrUnavailable].
func (v *vault) signIn(ctx context.Context) (token, error) {
	asked := v.now()
	var at string
	var send map[string]string
	switch c := v.cfg; {
	case c.AppRole != nil:
		id, err := v.own(c.AppRole.SecretID)
		if err != nil {
			return token{}, fmt.Errorf("signing in to Vault: appRole.secretId: %w", err)
		}
		at, send = "auth/"+strings.Trim(cmp.Or(c.AppRole.Mount, "approle"), "/")+"/login", map[string]string{"role_id": c.AppRole.RoleID, "secret_id": id}
	case c.Kubernetes != nil:
		b, err := os.ReadFile(cmp.Or(c.Kubernetes.TokenFile, defaultJWT))
		if err != nil {
			return token{}, fmt.Errorf("signing in to Vault: the service account's token: %w: %w", ErrUnavailable, err)
		}
		at, send = "auth/"+strings.Trim(cmp.Or(c.Kubernetes.Mount, "kubernetes"), "/")+"/login", map[string]string{"role": c.Kubernetes.Role, "jwt": strings.TrimSpace(string(b))}
	default:
		return v.ownToken(ctx, asked)
	}
	var a auth
	if err := v.ask(ctx, http.MethodPost, at, nil, "", send, &a); err != nil {
		return token{}, fmt.Errorf("signing in to Vault: %w: %s", ErrUnavailable, err.Error())
	}
	if a.Auth.ClientToken == "" {
		return token{}, fmt.Errorf("signing in to Vault: it gives no token: %w", ErrUnavailable)
	}
	v.token = v.taken(a.Auth.ClientToken, a.Auth.LeaseDuration, a.Auth.Renewable, asked)
	return v.token, nil
}

// ownToken takes the configured token, and asks until when it is good.
func (v *vault) ownToken(ctx context.Context, asked time.Time) (token, error) {
	value, err := v.own(v.cfg.Token)
	if err != nil {
		return token{}, fmt.Errorf("signing in to Vault: token: %w", err)
	}
	var a struct {
		Data struct {
			TTL       json.Number `json:"ttl"`
			Renewable bool        `json:"renewable"`
		} `json:"data"`
	}
	if err := v.ask(ctx, http.MethodGet, "auth/token/lookup-self", nil, value, nil, &a); err != nil {
		return token{}, fmt.Errorf("looking up the token of Vault, which has to be let read auth/token/lookup-self as the policy default says: %w: %s", ErrUnavailable, err.Error())
	}
	v.token = v.taken(value, a.Data.TTL, a.Data.Renewable, asked)
	return v.token, nil
}

// own reads a secret of the configuration itself, each time anew.
func (v *vault) own(s schema.Secret) (string, error) {
	if err := s.Resolve(v.look); err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return s.Reveal(), nil
}

// renew renews the token where it is time to. It returns after what time to look
// again.
func (v *vault) renew(ctx context.Context) (time.Duration, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.token
	if t.value == "" || t.ends.IsZero() {
		return defaultRefresh, nil
	}
	whole, left := t.ends.Sub(t.got), t.ends.Sub(v.now())
	if due := left - whole/renewFraction; due > 0 {
		return max(due, shortestRenewal), nil
	}
	if t.renewable && left > 0 {
		asked := v.now()
		var a auth
		err := v.ask(ctx, http.MethodPost, "auth/token/renew-self", nil, t.value, struct{}{}, &a)
		switch {
		case errors.Is(err, ErrUnavailable):
			return shortestRenewal, fmt.Errorf("renewing the token of Vault: %w", err)
		case err == nil:
			next := v.taken(t.value, a.Auth.LeaseDuration, a.Auth.Renewable, asked)
			// Near the end of its longest life, Vault gives less each time.
			if n := next.ends.Sub(asked); next.ends.IsZero() || n > whole/2 {
				v.token = next
				return max(n-n/renewFraction, shortestRenewal), nil
			}
		}
	}
	if _, err := v.signIn(ctx); err != nil {
		return signInPause, err
	}
	if v.token.value == t.value && !v.token.renewable {
		return signInPause, nil // a token that only its owner can replace
	}
	return shortestRenewal, nil
}
