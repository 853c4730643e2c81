package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// ErrSignedOut says that nobody is signed in.
var ErrSignedOut = errors.New("you are not signed in: use gatehouse login --url ADDRESS --email YOU, or gatehouse login --ready-file FILE")

// Tokens are the address below which tokens are made.
const Tokens = "/api/tenant-manager/v1" //nolint:gosec // an address

// Session is a profile in use.
type Session struct {
	store   store
	name    string
	profile Profile
	fixed   bool // from the environment: nothing is remembered
	http    *http.Client
	now     func() time.Time
}

// Options say which session.
type Options struct {
	// Environ returns variables: GATEHOUSE_URL with GATEHOUSE_TOKEN stand in place
	// of what is remembered.
	Environ func(string) string
	// Profile is the name under which it is remembered; "" = "default".
	Profile string
	// HTTP makes requests; nil = a client of its own.
	HTTP *http.Client
	// Now is the clock; nil = time.Now.
	Now func() time.Time
}

// Open reads what is remembered. That nobody is signed in shows when something
// is sent.
func Open(o Options) (*Session, error) {
	s := &Session{name: o.Profile, http: o.HTTP, now: o.Now}
	if s.name == "" {
		s.name = "default"
	}
	if s.http == nil {
		s.http = &http.Client{Timeout: 2 * time.Minute}
	}
	if s.now == nil {
		s.now = time.Now
	}
	path, err := Path(o.Environ)
	if err != nil {
		return nil, err
	}
	s.store = store{path}
	url, token := o.Environ("GATEHOUSE_URL"), o.Environ("GATEHOUSE_TOKEN")
	if url != "" && token != "" {
		s.fixed = true
		s.profile = Profile{URL: trim(url), Token: token}
		return s, nil
	}
	f, err := s.store.read()
	if err != nil {
		return nil, err
	}
	s.profile = f.Profiles[s.name]
	return s, nil
}

func trim(url string) string { return strings.TrimRight(url, "/") }

// Profile returns who is signed in where.
func (s *Session) Profile() Profile { return s.profile }

// Pair is what a sign-in is answered.
type Pair struct {
	AccessToken  string `json:"accessToken"`
	ExpiresIn    int    `json:"expiresIn"`
	RefreshToken string `json:"refreshToken"`
	User         struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	} `json:"user"`
	ServiceAccount struct {
		Name string `json:"name"`
	} `json:"serviceAccount"`
	Organization struct {
		Slug string `json:"slug"`
		Name string `json:"name"`
	} `json:"organization"`
	SetupRequired  bool `json:"setupRequired"`
	FactorRequired bool `json:"factorRequired"`
	// Challenge names a sign-in that needs a second step, one of Methods; there are
	// no tokens then.
	Challenge string   `json:"challenge"`
	Methods   []string `json:"methods"`
}

// SignIn posts a credential to an endpoint of the suite at url, such as
// "/sign-in", and remembers the session, where no second step is needed.
func (s *Session) SignIn(ctx context.Context, url, path string, credential any) (Pair, error) {
	p := Profile{URL: trim(url)}
	pair, err := s.post(ctx, p.URL, path, credential)
	if err != nil || pair.Challenge != "" {
		return pair, err
	}
	s.take(&p, pair)
	return pair, s.remember(p)
}

// exchangeable reports whether a token is a person's or a service account's, for
// which there are access tokens.
func exchangeable(token string) bool {
	return strings.HasPrefix(token, "ghp_") || strings.HasPrefix(token, "ght_")
}

// UseToken signs in with the token of a person or a service account.
func (s *Session) UseToken(ctx context.Context, url, token string) (Pair, error) {
	p := Profile{URL: trim(url), Token: token}
	pair, err := s.post(ctx, p.URL, "/token/personal", map[string]string{"token": token})
	if err != nil {
		return pair, err
	}
	s.take(&p, pair)
	return pair, s.remember(p)
}

// take puts what was answered into a profile.
func (s *Session) take(p *Profile, pair Pair) {
	p.AccessToken, p.ExpiresAt = pair.AccessToken, s.now().Add(time.Duration(pair.ExpiresIn)*time.Second)
	if pair.RefreshToken != "" {
		p.RefreshToken = pair.RefreshToken
	}
	for _, name := range []string{pair.User.Email, pair.User.Name, pair.ServiceAccount.Name} {
		if name != "" {
			p.User = name
			break
		}
	}
	if pair.Organization.Name != "" {
		p.Organization = pair.Organization.Name
	}
}

func (s *Session) remember(p Profile) error {
	s.profile = p
	return s.store.change(func(f *file) (bool, error) {
		f.Profiles[s.name] = p
		return true, nil
	})
}

// Forget forgets the session.
func (s *Session) Forget() error {
	s.profile = Profile{}
	return s.store.change(func(f *file) (bool, error) {
		_, there := f.Profiles[s.name]
		delete(f.Profiles, s.name)
		return there, nil
	})
}

// margin is how long before its end an access token is renewed.
const margin = 20 * time.Second

// token returns an access token that is good for a while. used is one that was
// just refused.
func (s *Session) token(ctx context.Context, used string) (string, error) {
	if s.profile.URL == "" {
		return "", ErrSignedOut
	}
	if t := s.good(s.profile, used); t != "" {
		return t, nil
	}
	if s.fixed {
		if !exchangeable(s.profile.Token) { // an access token, as it is
			if used != "" {
				return "", fmt.Errorf("GATEHOUSE_TOKEN is not accepted any more (%w)", ErrSignedOut)
			}
			return s.profile.Token, nil
		}
		err := s.renew(ctx, &s.profile)
		return s.profile.AccessToken, err
	}
	err := s.store.change(func(f *file) (bool, error) {
		p := f.Profiles[s.name]
		if p.URL == "" {
			return false, ErrSignedOut
		}
		if s.good(p, used) != "" { // another command was faster
			s.profile = p
			return false, nil
		}
		if err := s.renew(ctx, &p); err != nil {
			return false, err
		}
		f.Profiles[s.name], s.profile = p, p
		return true, nil
	})
	return s.profile.AccessToken, err
}

// good returns the access token of a profile if it can be used.
func (s *Session) good(p Profile, used string) string {
	if p.AccessToken == used || s.now().Add(margin).After(p.ExpiresAt) {
		return ""
	}
	return p.AccessToken
}

// renew gets a new access token.
func (s *Session) renew(ctx context.Context, p *Profile) error {
	var pair Pair
	var err error
	switch {
	case p.RefreshToken != "":
		pair, err = s.post(ctx, p.URL, "/token/refresh", map[string]string{"refreshToken": p.RefreshToken})
	case p.Token != "":
		pair, err = s.post(ctx, p.URL, "/token/personal", map[string]string{"token": p.Token})
	default:
		return ErrSignedOut
	}
	var refused *problem.Problem
	if errors.As(err, &refused) && refused.Status >= 400 && refused.Status < 500 && refused.Status != http.StatusTooManyRequests {
		return fmt.Errorf("the session has ended (%s): %w", refused.Detail, ErrSignedOut)
	}
	if err != nil {
		return err
	}
	s.take(p, pair)
	return nil
}

// post sends a credential.
func (s *Session) post(ctx context.Context, url, path string, body any) (Pair, error) {
	var pair Pair
	raw, err := json.Marshal(body)
	if err != nil {
		return pair, fmt.Errorf("signing in: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+Tokens+path, bytes.NewReader(raw))
	if err != nil {
		return pair, fmt.Errorf("signing in: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(r)
	if err != nil {
		return pair, fmt.Errorf("signing in: %w", err)
	}
	err = Into(res, &pair)
	return pair, err
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Into reads an answer: its JSON into v, which may be nil, or the problem that it
// is.
func Into(res *http.Response, v any) error {
	defer func() { _ = res.Body.Close() }() // read to its end
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if res.StatusCode >= 300 {
		p := &problem.Problem{}
		if json.Unmarshal(b, p) != nil || p.Code == "" {
			return fmt.Errorf("%s %s was answered %s, which is not what a suite answers; is the address right?", res.Request.Method, res.Request.URL, res.Status)
		}
		p.Status = res.StatusCode
		return p
	}
	if v == nil || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s was not answered by a suite (%w); is the address right?", res.Request.URL, err)
	}
	return nil
}

// Do sends a request to the suite with an access token, and once more with a new
// one where that was refused. It is what generated clients need.
func (s *Session) Do(r *http.Request) (*http.Response, error) {
	used := ""
	for {
		token, err := s.token(r.Context(), used)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := s.http.Do(r) //nolint:gosec // the address is the user's own
		if err != nil {
			return nil, fmt.Errorf("asking the suite: %w", err)
		}
		if res.StatusCode != http.StatusUnauthorized || used != "" || r.Body != nil && r.GetBody == nil {
			return res, nil
		}
		used = token
		_ = res.Body.Close()
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, fmt.Errorf("asking the suite: %w", err)
			}
		}
	}
}
