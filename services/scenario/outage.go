package scenario

import (
	"net/http"

	"github.com/stretchr/testify/require"
)

// Outage takes the control plane away from the gateways, and gives it back.
type Outage struct {
	// Begin kills all but the gateways, the databases and Redis.
	Begin func()
	// Restart stops the gateway at this place of [Installation.Traffic], and starts
	// it again.
	Restart func(gateway int)
	// End starts again what was killed, and returns when it is ready. What counts
	// requests is killed once more in the middle of that.
	End func()
	// Databases takes the databases away from the services that run, or gives them
	// back; nil = they are in the process.
	Databases func(away bool)
}

// outage takes the control plane away. The gateways serve on, also one that is
// started meanwhile, from its disk. When the plane is back, all that was called
// meanwhile is counted, and once; and what is changed from then on gets to the
// gateways, as the steps after this one show.
func (s *story) outage() {
	if s.Outage == nil {
		return
	}
	made := s.caller.want(http.StatusCreated, http.MethodPost, portal, "/subscriptions", object{
		"plan": s.plan, "newApplication": object{"name": "Night shift"}, "createKey": true,
	})
	application, key := text(s.t, made, "application", "id"), text(s.t, made, "credential", "key")
	sent := 0
	work := func(calls int) {
		for range calls {
			for _, gateway := range s.Traffic {
				a := s.get(gateway, pet, key)
				require.Equal(s.t, http.StatusOK, a.status, "%s: %s", gateway, a.body)
				sent++
			}
		}
	}
	known := func(key string) {
		for _, gateway := range s.Traffic {
			eventually(s.t, Patience, "the key does not work", func() bool { return s.get(gateway, pet, key).status == http.StatusOK })
			sent++
		}
	}
	known(key)
	work(10)

	s.Outage.Begin()
	work(40)
	for i := range s.Traffic {
		s.Outage.Restart(i)
		work(20)
		require.Equal(s.t, http.StatusUnauthorized, s.get(s.Traffic[i], pet, "ghk_invented").status)
	}
	s.Outage.End()
	s.awake()

	counted := func(what string) {
		eventually(s.t, Patience, what, func() bool { return s.answered(application) >= sent })
		require.Equal(s.t, sent, s.answered(application), "requests are counted twice")
	}
	counted("what was called during the outage is not counted")
	// What is called later is counted later: after this, nothing is under way any
	// more that would be counted again.
	known(s.newKey(application, "after"))
	work(1)
	counted("what was called after the outage is not counted")
}

// withoutDatabases takes the databases away for a moment. Every service says that it
// cannot answer now, and when to come again; when they are back, it goes on by itself.
func (s *story) withoutDatabases() {
	if s.Outage == nil || s.Outage.Databases == nil {
		return
	}
	s.Outage.Databases(true)
	for service, path := range map[string]string{
		tenants: "/me", gateways: "/apis/" + s.api, policies: "/plans/" + s.plan, portal: "/applications/" + s.application, analytics: "/records",
	} {
		who := s.publisher
		if service == portal {
			who = s.caller
		}
		a := who.send(http.MethodGet, service, path, nil)
		require.Equal(s.t, http.StatusServiceUnavailable, a.status, "%s: %s", service, a.body)
		require.Equal(s.t, "application/problem+json", a.header.Get("Content-Type"), service)
		require.NotEmpty(s.t, a.header.Get("Retry-After"), service)
		require.Equal(s.t, "dependency-unavailable", text(s.t, a.object(s.t), "code"), service)
	}
	for _, gateway := range s.Traffic {
		require.Equal(s.t, http.StatusOK, s.get(gateway, pet, s.key).status)
	}
	s.Outage.Databases(false)
	s.awake()
}

// awake waits until every service answers again: each needs others, at least for
// the keys of access tokens.
func (s *story) awake() {
	s.t.Helper()
	for _, c := range []*client{s.owner, s.publisher, s.caller} {
		c.http.CloseIdleConnections() // they led to what was killed
	}
	for service, path := range map[string]string{
		tenants: "/me", gateways: "/apis/" + s.api, policies: "/plans/" + s.plan, portal: "/catalogue/" + s.api, analytics: "/usage",
	} {
		eventually(s.t, Patience, service+" does not answer again", func() bool {
			return s.publisher.send(http.MethodGet, service, path, nil).status == http.StatusOK
		})
	}
	eventually(s.t, Patience, "the portal does not answer again", func() bool {
		return s.caller.send(http.MethodGet, portal, "/applications/"+s.application+"/usage", nil).status == http.StatusOK
	})
}
