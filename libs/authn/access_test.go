package authn_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// hanging is a tenant-manager that does not answer until it is told to.
type hanging struct {
	*authntest.Tenants
	until <-chan struct{}
	begun chan<- struct{}
}

func (h hanging) wait() {
	if h.begun != nil {
		h.begun <- struct{}{}
	}
	<-h.until
}

func (h hanging) Keys(ctx context.Context) (tenant.KeySet, error) {
	h.wait()
	return h.Tenants.Keys(ctx)
}

func (h hanging) Grants(ctx context.Context, ask tenant.Grants) (tenant.Granted, error) {
	rep, err := h.Tenants.Grants(ctx, ask)
	h.wait()
	return rep, err
}

func TestGrantsHoldWhereTheyAreGiven(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1",
		tenant.Grant{Role: "reader", Permissions: []string{"api:read", "*:list"}},
		tenant.Grant{Role: "publisher", Permissions: []string{"api:*", "plan:update"}, Project: "p1"},
		tenant.Grant{Role: "deployer", Permissions: []string{"deployment:create"}, Project: "p1", API: "a1", Environment: "dev"},
		tenant.Grant{Role: "guest", Permissions: []string{"audit:read"}, ExpiresAt: clock.Now().Add(time.Second)},
		tenant.Grant{Role: "odd", Permissions: []string{"", "api", "tra*", "*x"}},
	)
	ctx := authn.With(t.Context(), ada, authn.NewAccess(tenants, quiet, clock.Now))
	for _, c := range []struct {
		permission string
		scope      authn.Scope
		role       string // "" = refused
	}{
		{"api:read", authn.Scope{}, "reader"},
		{"api:read", authn.Scope{Project: "p9", API: "a9"}, "reader"},
		{"user:list", authn.Scope{}, "reader"},
		{"api:update", authn.Scope{Project: "p1"}, "publisher"},
		{"api:update", authn.Scope{Project: "p1", API: "a1", Environment: "prd"}, "publisher"},
		{"api:update", authn.Scope{Project: "p2"}, ""},
		{"api:update", authn.Scope{}, ""},
		{"apis:update", authn.Scope{Project: "p1"}, ""},
		{"plan:update", authn.Scope{Project: "p1"}, "publisher"},
		{"plan:delete", authn.Scope{Project: "p1"}, ""},
		{"deployment:create", authn.Scope{Project: "p1", API: "a1", Environment: "dev"}, "deployer"},
		{"deployment:create", authn.Scope{Project: "p1", API: "a1", Environment: "prd"}, ""},
		{"deployment:create", authn.Scope{Project: "p1", API: "a1"}, ""},
		{"deployment:create", authn.Scope{API: "a1", Environment: "dev"}, ""},
		{"audit:read", authn.Scope{}, "guest"},
		{"traffic:read", authn.Scope{}, ""},
	} {
		d, err := authn.Allow(ctx, c.permission, c.scope)
		require.NoError(t, err)
		require.Equal(t, authn.Decision{Allowed: c.role != "", Role: c.role}, d, "%s %+v", c.permission, c.scope)
	}
	scopes, err := authn.Scopes(ctx, "api:read")
	require.NoError(t, err)
	require.Equal(t, []authn.Scope{{}}, scopes)
	scopes, err = authn.Scopes(ctx, "plan:update")
	require.NoError(t, err)
	require.Equal(t, []authn.Scope{{Project: "p1"}}, scopes)
	require.NoError(t, authn.RequireAnywhere(ctx, "deployment:create"))
	require.Equal(t, problem.CodeAccessDenied, code(t, authn.RequireAnywhere(ctx, "user:create")))

	err = authn.Require(ctx, "api:update", authn.Scope{Project: "p2", API: "a7"})
	require.ErrorContains(t, err, "this needs the permission api:update in project p2, API a7: ask an administrator of the project or the organization for a role that has it")
	require.Equal(t, &problem.Access{Permission: "api:update", Project: "p2", API: "a7", Reason: problem.LackNone}, problem.From(err).Access)
	require.Contains(t, string(problem.From(err).JSON()), `"access":{"permission":"api:update","project":"p2","api":"a7","reason":"missing"}`)
	clock.Advance(time.Second)
	require.Equal(t, problem.CodeAccessDenied, code(t, authn.Require(ctx, "audit:read", authn.Scope{})), "the grant has ended")
	require.Equal(t, problem.CodeCredentialMissing, code(t, authn.Require(t.Context(), "api:read", authn.Scope{})))
}

// What is known of whoever acts as somebody else is void when what either may do
// changes.
func TestWhoActsAsSomebodyElseIsAskedAboutAnew(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"api:read"}})
	a := authn.NewAccess(tenants, quiet, testkit.NewClock().Now)
	acting := ada
	acting.ImpersonatorID = "u2"
	ctx := authn.With(t.Context(), acting, a)
	for asked, of := range []string{"", "u2", "u1", ""} {
		if asked > 0 {
			a.Changed(tenant.AccessChanged{Organization: "o1", Principal: of})
		}
		require.NoError(t, authn.Require(ctx, "api:read", authn.Scope{}))
		require.Equal(t, asked+1, tenants.Asked())
	}
	a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u3"})
	require.NoError(t, authn.Require(ctx, "api:read", authn.Scope{}))
	require.Equal(t, 4, tenants.Asked())
}

// over is a tenant-manager to which all sessions are over, and that says why.
type over struct{ *authntest.Tenants }

func (over) Grants(context.Context, tenant.Grants) (tenant.Granted, error) {
	return tenant.Granted{Ended: "you act as Ada no longer"}, nil
}

func TestWhyASessionIsOver(t *testing.T) {
	t.Parallel()
	a := authn.NewAccess(over{authntest.New(t)}, quiet, testkit.NewClock().Now)
	ctx := authn.With(t.Context(), ada, a)
	require.ErrorContains(t, authn.CheckSession(ctx), "you act as Ada no longer")
	a.Changed(tenant.AccessChanged{Organization: "o1", Session: ada.Session})
	err := authn.CheckSession(ctx)
	require.ErrorContains(t, err, "you act as Ada no longer", "also when it is told of its end")
	require.Equal(t, problem.CodeCredentialExpired, code(t, err))
}

func TestGrantsAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"api:read"}})
	a := authn.NewAccess(tenants, quiet, clock.Now)
	ctx := authn.With(t.Context(), ada, a)
	may := func() error { return authn.Require(ctx, "api:read", authn.Scope{}) }
	require.NoError(t, may())
	clock.Advance(29 * time.Second)
	require.NoError(t, may())
	require.Equal(t, 1, tenants.Asked())
	clock.Advance(time.Second)
	require.NoError(t, may())
	require.Equal(t, 2, tenants.Asked())

	tenants.Grant(t, "o1", "u1")
	require.NoError(t, may(), "not told of it yet")
	a.Changed(tenant.AccessChanged{Organization: "o2", Principal: "u1"})
	a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u2"})
	a.Changed(tenant.AccessChanged{Organization: "o1", Session: "s2"})
	require.NoError(t, may(), "the changes of others")
	require.Equal(t, 2, tenants.Asked())
	a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u1"})
	require.Equal(t, problem.CodeAccessDenied, code(t, may()))
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"*"}})
	a.Changed(tenant.AccessChanged{Organization: "o1"})
	require.NoError(t, may(), "a change of all")
	tenants.Grant(t, "o1", "u1")
	a.Missed()
	require.Equal(t, problem.CodeAccessDenied, code(t, may()))
	tenants.Block(t, "o1", "u1")
	a.Missed()
	require.Equal(t, problem.CodeCredentialExpired, code(t, may()))
}

// Never open: what is known goes on for five minutes, what is not is refused, and
// what is known to have changed is not known.
func TestWhileTenantManagerIsAway(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"api:read"}})
	a := authn.NewAccess(tenants, quiet, clock.Now)
	ctx := authn.With(t.Context(), ada, a)
	other := authn.With(t.Context(), authn.Principal{Organization: "o1", Subject: "u2", Session: "s2"}, a)
	may := func(ctx context.Context) error { return authn.Require(ctx, "api:read", authn.Scope{}) }
	require.NoError(t, may(ctx))
	tenants.SetAway(errors.New("gone"))
	require.Equal(t, problem.CodeDependencyDown, code(t, may(other)))
	clock.Advance(5*time.Minute - time.Second)
	asked := tenants.Asked()
	require.NoError(t, may(ctx))
	require.NoError(t, may(ctx))
	require.Equal(t, asked+1, tenants.Asked(), "nobody waits for what was in vain just now")
	clock.Advance(time.Second)
	require.Equal(t, problem.CodeDependencyDown, code(t, may(ctx)))

	tenants.SetAway(nil)
	require.NoError(t, may(ctx))
	tenants.SetAway(errors.New("gone"))
	a.Missed()
	require.NoError(t, may(ctx), "what may have changed goes on")
	a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u1"})
	require.Equal(t, problem.CodeDependencyDown, code(t, may(ctx)), "what has changed does not")
}

func TestARevokedSessionIsRefusedWhateverElseIsKnown(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"*"}})
	a := authn.NewAccess(tenants, quiet, clock.Now)
	ctx := authn.With(t.Context(), ada, a)
	second := ada
	second.Session = "s2"
	stays := authn.With(t.Context(), second, a)
	require.NoError(t, authn.CheckSession(ctx))
	require.NoError(t, authn.CheckSession(stays))
	// The event comes before tenant-manager's own answers say so.
	a.Changed(tenant.AccessChanged{Organization: "o1", Session: "s1"})
	require.Equal(t, problem.CodeCredentialExpired, code(t, authn.CheckSession(ctx)))
	require.NoError(t, authn.CheckSession(stays))
	tenants.SetAway(errors.New("gone"))
	clock.Advance(4 * time.Minute)
	require.Equal(t, problem.CodeCredentialExpired, code(t, authn.CheckSession(ctx)))
	tenants.SetAway(nil)
	tenants.Revoke(t, "o1", "s2")
	cold := authn.With(t.Context(), second, authn.NewAccess(tenants, quiet, clock.Now))
	require.Equal(t, problem.CodeCredentialExpired, code(t, authn.CheckSession(cold)), "a new replica learns it by asking")
	require.Equal(t, problem.CodeCredentialMissing, code(t, authn.CheckSession(t.Context())))
}

// An answer that was overtaken by a change is not kept.
func TestAChangeWhileAskingIsNotLost(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"*"}})
	until, begun := make(chan struct{}), make(chan struct{})
	a := authn.NewAccess(hanging{tenants, until, begun}, quiet, time.Now)
	ctx := authn.With(t.Context(), ada, a)
	answer := make(chan error, 1)
	go func() { answer <- authn.Require(ctx, "api:read", authn.Scope{}) }()
	<-begun
	tenants.Grant(t, "o1", "u1")
	a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u1"})
	until <- struct{}{} // the old answer arrives
	<-begun             // and it is asked again
	until <- struct{}{}
	require.Equal(t, problem.CodeAccessDenied, code(t, <-answer))
}

// late answers what was true when it was asked, once its time is over.
type late struct {
	*authntest.Tenants
	change func()
}

func (l late) Grants(ctx context.Context, ask tenant.Grants) (tenant.Granted, error) {
	rep, err := l.Tenants.Grants(ctx, ask)
	l.change()
	<-ctx.Done()
	return rep, err
}

// An answer that a change has overtaken is not used, however late it is: not asking
// again for want of time is no reason to believe it.
func TestAnAnswerOfBeforeIsNeverKept(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"*"}})
	var a *authn.Access
	a = authn.NewAccess(late{tenants, func() {
		tenants.Grant(t, "o1", "u1")
		a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u1"})
	}}, quiet, time.Now)
	ctx := authn.With(t.Context(), ada, a)
	require.Equal(t, problem.CodeDependencyDown, code(t, authn.Require(ctx, "api:read", authn.Scope{})))
}

// overtaken has something happen before each answer arrives.
type overtaken struct {
	*authntest.Tenants
	by func()
}

func (o overtaken) Grants(ctx context.Context, ask tenant.Grants) (tenant.Granted, error) {
	rep, err := o.Tenants.Grants(ctx, ask)
	o.by()
	return rep, err
}

// What happens to others, however much it is, delays nobody's answer.
func TestChangesOfOthersDelayNobody(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"*"}})
	var a *authn.Access
	a = authn.NewAccess(overtaken{tenants, func() {
		a.Changed(tenant.AccessChanged{Organization: "o2", Principal: "u1"})
		a.Changed(tenant.AccessChanged{Organization: "o2"})
		a.Changed(tenant.AccessChanged{Organization: "o1", Principal: "u9"})
		a.Changed(tenant.AccessChanged{Organization: "o1", Session: "s9"})
	}}, quiet, time.Now)
	require.NoError(t, authn.Require(authn.With(t.Context(), ada, a), "api:read", authn.Scope{}))
	require.Equal(t, 1, tenants.Asked())
}

func TestManyAtOnceShareOneQuestion(t *testing.T) {
	t.Parallel()
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"*"}})
	a := authn.NewAccess(tenants, quiet, time.Now)
	ctx := authn.With(t.Context(), ada, a)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := authn.Require(ctx, "api:read", authn.Scope{}); err != nil {
				t.Error(err)
			}
			a.Changed(tenant.AccessChanged{Organization: "o9", Session: "s9"})
		})
	}
	wg.Wait()
	require.Less(t, tenants.Asked(), 50)
}

// Over a real bus: a revocation is felt well within two seconds, by whoever has
// the session cached.
func TestChangesComeOverTheBus(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		authntest.Access(), {Service: "shop", Asks: []string{tenant.Service}, Listens: []string{tenant.Service}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	connect := func(service string) *bus.Bus {
		b, err := bus.Connect(server.For(service))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
		return b
	}
	tenants := authntest.New(t)
	tenants.Serve(t, connect(tenant.Service))
	shop := connect("shop")
	a, v := authn.NewAccess(authn.FromBus(shop), quiet, time.Now), authn.NewVerifier(authn.FromBus(shop), quiet, time.Now)
	run, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, f := range []func(context.Context) error{a.Run, v.Run, func(ctx context.Context) error { return authn.Listen(ctx, shop, a) }} {
		wg.Go(func() {
			if err := f(run); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { stop(); wg.Wait() })

	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"api:read"}})
	p, err := v.Verify(t.Context(), tenants.Token(t, ada))
	require.NoError(t, err)
	ctx := authn.With(t.Context(), p, a)
	require.NoError(t, authn.Require(ctx, "api:read", authn.Scope{}))
	tenants.Revoke(t, "o1", "s1")
	require.Eventually(t, func() bool { return authn.CheckSession(ctx) != nil }, 2*time.Second, time.Millisecond)
	require.Equal(t, problem.CodeCredentialExpired, code(t, authn.CheckSession(ctx)))
}

func TestACheckCostsNoMemory(t *testing.T) {
	tenants := authntest.New(t)
	tenants.Grant(t, "o1", "u1", tenant.Grant{Permissions: []string{"plan:*", "api:read"}, Project: "p1"})
	ctx := authn.With(t.Context(), ada, authn.NewAccess(tenants, quiet, time.Now))
	require.NoError(t, authn.CheckSession(ctx))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if authn.Require(ctx, "api:read", authn.Scope{Project: "p1"}) != nil {
			t.Fail()
		}
	}))
}

func BenchmarkCheck(b *testing.B) {
	tenants := authntest.New(b)
	var grants []tenant.Grant
	for i := range 20 {
		grants = append(grants, tenant.Grant{Permissions: []string{"plan:*", "api:read", "*:list"}, Project: fmt.Sprint("p", i)})
	}
	tenants.Grant(b, "o1", "u1", grants...)
	ctx := authn.With(b.Context(), ada, authn.NewAccess(tenants, quiet, time.Now))
	b.ReportAllocs()
	for b.Loop() {
		if authn.Require(ctx, "api:read", authn.Scope{Project: "p19"}) != nil {
			b.Fatal()
		}
	}
}
