// Package authntest plays tenant-manager to the services under test: it answers
// who may do what, and issues access tokens. It is for tests only.
package authntest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// Access is what tenant-manager must be allowed on the bus to be played.
func Access() bus.Access { return bus.Access{Service: tenant.Service} }

// Tenants is tenant-manager, as far as others see it. It is an authn.Source.
type Tenants struct {
	kid string
	key ed25519.PrivateKey
	now func() time.Time

	mu      sync.Mutex
	held    map[[2]string]tenant.Granted // by organization and subject
	blocked map[[2]string]bool
	revoked map[string]bool
	away    error
	asked   int
	b       *bus.Bus
}

// New returns a tenant-manager that knows nobody. Everybody whom it does not know
// is active and may do nothing.
func New(t testing.TB) *Tenants {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return &Tenants{
		kid: "test-" + rand.Text()[:6], key: key, now: time.Now,
		held: map[[2]string]tenant.Granted{}, blocked: map[[2]string]bool{}, revoked: map[string]bool{},
	}
}

// Serve answers on the bus, until b is closed, and publishes changes there.
// b's service is tenant-manager.
func (s *Tenants) Serve(t testing.TB, b *bus.Bus) {
	t.Helper()
	s.mu.Lock()
	s.b = b
	s.mu.Unlock()
	require.NoError(t, bus.Answer(b, func(ctx context.Context, _ tenant.Keys) (tenant.KeySet, error) { return s.Keys(ctx) }))
	require.NoError(t, bus.Answer(b, s.Grants))
}

// Keys implements authn.Source.
func (s *Tenants) Keys(context.Context) (tenant.KeySet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return tenant.KeySet{}, s.away
	}
	return tenant.KeySet{Keys: []json.RawMessage{authn.JWK(s.kid, s.key.Public().(ed25519.PublicKey))}}, nil
}

// Grants implements authn.Source.
func (s *Tenants) Grants(_ context.Context, ask tenant.Grants) (tenant.Granted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.away != nil {
		return tenant.Granted{}, s.away
	}
	who := [2]string{ask.Organization, ask.Principal}
	out := s.held[who]
	out.Active = !s.blocked[who] && !s.revoked[ask.Session]
	return out, nil
}

// Asked returns how often grants were asked for.
func (s *Tenants) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// SetAway makes it answer nothing but err; nil ends that.
func (s *Tenants) SetAway(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

// SetNow replaces the clock by which tokens are issued.
func (s *Tenants) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Rotate replaces the key that signs.
func (s *Tenants) Rotate(t testing.TB) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kid, s.key = "test-"+rand.Text()[:6], key
}

// Grant gives somebody grants, in place of those before. Where it is on a bus it
// says so there.
func (s *Tenants) Grant(t testing.TB, organization, subject string, grants ...tenant.Grant) {
	t.Helper()
	s.Hold(t, organization, subject, tenant.Granted{Grants: grants})
}

// Hold is as Grant, with what is denied, and boundaries.
func (s *Tenants) Hold(t testing.TB, organization, subject string, held tenant.Granted) {
	t.Helper()
	s.mu.Lock()
	s.held[[2]string{organization, subject}] = held
	s.mu.Unlock()
	s.publish(t, tenant.AccessChanged{Organization: organization, Principal: subject})
}

// Block makes an account inactive.
func (s *Tenants) Block(t testing.TB, organization, subject string) {
	t.Helper()
	s.mu.Lock()
	s.blocked[[2]string{organization, subject}] = true
	s.mu.Unlock()
	s.publish(t, tenant.AccessChanged{Organization: organization, Principal: subject})
}

// Revoke ends a session.
func (s *Tenants) Revoke(t testing.TB, organization, session string) {
	t.Helper()
	s.mu.Lock()
	s.revoked[session] = true
	s.mu.Unlock()
	s.publish(t, tenant.AccessChanged{Organization: organization, Session: session})
}

func (s *Tenants) publish(t testing.TB, e tenant.AccessChanged) {
	t.Helper()
	s.mu.Lock()
	b := s.b
	s.mu.Unlock()
	if b != nil {
		require.NoError(t, bus.Publish(t.Context(), b, e))
	}
}

// Token returns an access token of a principal. What is left empty is filled in:
// kind user, a session of its own.
func (s *Tenants) Token(t testing.TB, p authn.Principal) string {
	t.Helper()
	if p.Kind == "" {
		p.Kind = authn.User
	}
	if p.Session == "" {
		p.Session = rand.Text()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token, err := authn.NewClaims(p, rand.Text(), s.now()).Sign(s.kid, s.key)
	require.NoError(t, err)
	return token
}

// Sign returns a token with claims as they are, for tests of bad ones.
func (s *Tenants) Sign(t testing.TB, c authn.Claims) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	token, err := c.Sign(s.kid, s.key)
	require.NoError(t, err)
	return token
}

// User gives a user of an organization permissions in all of it, and returns an
// access token.
func (s *Tenants) User(t testing.TB, organization, subject string, permissions ...string) string {
	t.Helper()
	s.Grant(t, organization, subject, tenant.Grant{Role: "test", Permissions: permissions})
	return s.Token(t, authn.Principal{Organization: organization, OrganizationSlug: organization, Subject: subject, Name: subject, Email: subject + "@example.com"})
}
