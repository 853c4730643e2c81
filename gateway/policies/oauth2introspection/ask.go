package oauth2introspection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
)

const (
	maxAnswer = 64 << 10
	// queued is how many wait for each that is asked about.
	queued = 8
	// knownFor is how long it is remembered that a token was active, after the answer
	// itself does not count any more.
	knownFor = 10 * time.Minute
)

var errTurn = errors.New("its turn did not come")

// call is a question under way; all who ask about the same token wait for it.
type call struct {
	done   chan struct{}
	answer *answer
	err    error
}

// answer is what the server said of a token. It is shared and never changed.
type answer struct {
	refused error // the answer to the client where the token is not accepted
	exp     int64 // Unix seconds; 0 = not said
	caller  policy.Caller
	client  policy.Digest
	named   bool // client is set
	scoped  bool
	bound   bool // confirm is set
	confirm bearer.Confirmation
	headers []string
}

func (k *check) inbound(ex *policy.Exchange) error {
	k.headers.Strip(&ex.Request.Header)
	k.holder.Clean(&ex.Request)
	found := k.sources.Find(&ex.Request)
	token := found.Token
	switch {
	case found.Count == 0:
		return k.missing
	case found.Count > 1:
		return k.twice
	case !wellFormed(token) || int64(len(token)) > int64(k.MaxSize):
		return k.malformed
	}
	a, err := k.ask(ex, token)
	if err != nil {
		return err
	}
	if err := k.admit(ex, a, found); err != nil {
		return err
	}
	k.headers.Add(&ex.Request.Header, a.headers)
	if k.Hide {
		k.sources.Hide(&ex.Request)
	}
	return nil
}

// wellFormed reports whether s has the characters of a token (RFC 6750 section
// 2.1).
func wellFormed(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return s != ""
}

func (k *check) admit(ex *policy.Exchange, a *answer, found bearer.Found) error {
	now := ex.Start.Unix()
	switch {
	case a.refused != nil:
		return a.refused
	case a.exp != 0 && now >= a.exp:
		return k.expired
	case a.bound || found.DPoP:
		if err := k.holder.Check(ex, a.confirm, found); err != nil {
			return err
		}
	case k.RequireBound:
		return k.bound
	}
	caller := a.caller
	if a.named && k.env.Credentials != nil {
		if c, ok := k.env.Credentials.Lookup(policy.KindOAuth2, a.client); ok {
			if c.Expired(ex.Start) {
				return k.expired
			}
			caller.Application, caller.Credential, caller.Plan = c.Application, c.ID, c.Plan
		}
	}
	if caller.Application == nil && k.Application == "required" {
		return k.application
	}
	if !a.scoped {
		return k.scope
	}
	ex.Caller = caller
	return nil
}

// ask returns what is remembered of the token, or asks, once for all who ask at
// the same time.
func (k *check) ask(ex *policy.Exchange, token string) (*answer, error) {
	d := bearer.Digest(token)
	key := k.prefix + string(d[:])
	if k.env.Store != nil {
		if v, ok := k.env.Store.Get(key); ok {
			if a, ok := v.(*answer); ok {
				return a, nil
			}
		}
	}
	if a := k.refusals.get(key, k.env.Now()); a != nil {
		return a, nil
	}
	known := k.known(key)
	k.mu.Lock()
	c := k.flight[key]
	if c == nil {
		most := queued * k.MaxConcurrent
		if known { // these have a quarter more
			most += most / 4
		}
		if len(k.flight) >= most {
			k.mu.Unlock()
			return nil, k.busy
		}
		c = &call{done: make(chan struct{})}
		k.flight[key] = c
		// The call goes on when the one who asked first has left: others wait.
		ctx := context.WithoutCancel(ex.Context())
		token := strings.Clone(token)
		k.wg.Go(func() { k.run(ctx, c, key, token, known) })
	}
	k.mu.Unlock()
	select {
	case <-c.done:
	case <-ex.Context().Done():
		return nil, fmt.Errorf("waiting for the authorization server: %w", context.Cause(ex.Context()))
	}
	if errors.Is(c.err, errTurn) {
		return nil, k.busy
	}
	if c.err != nil {
		p := *k.down
		return nil, p.Because(c.err)
	}
	return c.answer, nil
}

// knownKey is under what it is remembered that a token was active.
func knownKey(key string) string { return key + "+" }

// known reports whether a token was active a moment ago.
func (k *check) known(key string) bool {
	if k.env.Store == nil {
		return false
	}
	_, ok := k.env.Store.Get(knownKey(key))
	return ok
}

// turn waits until a token may be asked about. It returns what to do afterwards, nil
// where the time is over.
func (k *check) turn(ctx context.Context, known bool) func() {
	reserved := k.reserved
	if !known {
		reserved = nil // nobody ever gets one of these
	}
	select {
	case k.slots <- struct{}{}:
		return func() { <-k.slots }
	case reserved <- struct{}{}:
		return func() { <-k.reserved }
	case <-ctx.Done():
		return nil
	}
}

func (k *check) run(ctx context.Context, c *call, key, token string, known bool) {
	ctx, cancel := context.WithTimeout(ctx, k.Timeout.Std())
	defer cancel()
	done := k.turn(ctx, known)
	if done == nil { // nothing was learned of the server
		c.err = errTurn
		k.mu.Lock()
		delete(k.flight, key)
		k.mu.Unlock()
		close(c.done)
		return
	}
	claims, err := k.post(ctx, token)
	done()
	if err == nil {
		now := k.env.Now()
		c.answer = k.judge(claims, now.Unix())
		k.keep(key, c.answer, now)
	}
	c.err = err
	k.mu.Lock()
	delete(k.flight, key)
	changed := k.lost != (err != nil)
	k.lost = err != nil
	k.mu.Unlock()
	defer close(c.done)
	// One line when the server is lost, one when it is back. R6.5
	switch {
	case changed && err != nil:
		k.env.Log.ErrorContext(ctx, "authorization server does not answer", "endpoint", k.Endpoint, "error", err)
	case changed:
		k.env.Log.InfoContext(ctx, "authorization server is back", "endpoint", k.Endpoint)
	}
}

// keep remembers an answer. Refusals, of which anybody can cause many, have a place of
// their own: they take none from answers that let somebody in.
func (k *check) keep(key string, a *answer, now time.Time) {
	ttl := k.remember(a, now.Unix())
	if a.refused != nil {
		k.refusals.set(key, a, now, ttl)
		return
	}
	if k.env.Store == nil {
		return
	}
	if ttl > 0 {
		k.env.Store.Set(key, a, 2048, ttl)
	}
	k.env.Store.Set(knownKey(key), true, 64, max(ttl, 0)+knownFor)
}

// remember returns how long an answer counts. Errors are no answers. R6.4.
func (k *check) remember(a *answer, now int64) time.Duration {
	if a.refused != nil {
		return k.NegativeTTL.Std()
	}
	ttl := k.CacheTTL.Std()
	if a.exp != 0 {
		ttl = min(ttl, time.Duration(a.exp-now)*time.Second)
	}
	return ttl
}

// post asks the endpoint (RFC 7662 section 2). Its errors have nothing of the
// token or the secret in them.
func (k *check) post(ctx context.Context, token string) (map[string]any, error) {
	form := maps.Clone(k.form)
	form.Set("token", token)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if k.ClientAuth == "basic" { // RFC 6749 section 2.3.1
		req.SetBasicAuth(url.QueryEscape(k.ClientID), url.QueryEscape(k.ClientSecret.Reveal()))
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has status %d", resp.StatusCode) //nolint:err113 // for the log
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	claims, ok := bearer.Decode(doc)
	if _, isBool := claims["active"].(bool); len(doc) > maxAnswer || !ok || !isBool {
		return nil, errors.New(`the answer is not a JSON object with "active"`) //nolint:err113 // for the log
	}
	return claims, nil
}

// judge turns the server's answer into ours.
func (k *check) judge(claims map[string]any, now int64) *answer {
	if active, _ := claims["active"].(bool); !active {
		return &answer{refused: k.inactive}
	}
	exp, _, ok1 := bearer.Time(claims, "exp")
	nbf, _, ok2 := bearer.Time(claims, "nbf")
	issuer, _ := claims["iss"].(string)
	confirm, ok3 := bearer.ConfirmationOf(claims)
	switch {
	case !ok1 || !ok2 || now < nbf:
		return &answer{refused: k.inactive}
	case exp != 0 && now >= exp:
		return &answer{refused: k.expired}
	case len(k.Issuer) > 0 && !slices.Contains(k.Issuer, issuer):
		return &answer{refused: k.issuer}
	case len(k.Audience) > 0 && !meets(bearer.Texts(claims["aud"]), k.Audience):
		return &answer{refused: k.audience}
	case !ok3:
		return &answer{refused: k.bound}
	}
	a := &answer{exp: exp, confirm: confirm, bound: confirm.Bound(), headers: k.headers.Values(claims), caller: policy.Caller{
		Kind: policy.KindOAuth2, Subject: bearer.Text(claims, "sub"), Issuer: issuer, Claims: claims,
		Scopes: bearer.ScopesOf(claims["scope"]),
	}}
	a.scoped = bearer.HasScopes(a.caller.Scopes, k.Scopes, k.anyScope)
	if id := bearer.Text(claims, "client_id"); id != "" {
		a.client, a.named = policy.DigestOf(id), true
	}
	return a
}

func meets(have, want []string) bool {
	return slices.ContainsFunc(have, func(s string) bool { return slices.Contains(want, s) })
}
