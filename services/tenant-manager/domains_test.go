package tenantmanager_test

import (
	"encoding/json"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// zone is a DNS server on this machine.
type zone struct {
	address string

	mu      sync.Mutex
	texts   map[string][]string
	failing bool
}

func startZone(t *testing.T) *zone {
	t.Helper()
	z := &zone{texts: map[string][]string{}}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	z.address = c.LocalAddr().String()
	l, err := net.Listen("tcp", z.address) // for long answers
	require.NoError(t, err)
	for _, s := range []*dns.Server{{PacketConn: c, Handler: z}, {Listener: l, Handler: z}} {
		up, ended := make(chan struct{}), make(chan error, 1)
		s.NotifyStartedFunc = func() { close(up) }
		go func() { ended <- s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { require.NoError(t, s.Shutdown()); require.NoError(t, <-ended) })
	}
	return z
}

// ServeDNS answers with the records.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	texts, found := z.texts[strings.ToLower(q.Question[0].Name)]
	switch {
	case z.failing:
		m.Rcode = dns.RcodeServerFailure
	case !found:
		m.Rcode = dns.RcodeNameError
	}
	if !z.failing && q.Question[0].Qtype == dns.TypeTXT {
		for _, text := range texts {
			m.Answer = append(m.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1}, Txt: []string{text}})
		}
	}
	_ = w.WriteMsg(m) // who asked may have gone
}

// set has the server say texts of a name; none = there is no such name.
func (z *zone) set(name string, texts ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.texts, name+".")
	if len(texts) > 0 {
		z.texts[name+"."] = texts
	}
}

func (z *zone) fail(failing bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.failing = failing
}

// zoneWorld is a world that asks a DNS server, and two organizations in it.
func zoneWorld(t *testing.T) (w *world, z *zone, owner, stranger string) {
	t.Helper()
	z = startZone(t)
	clock := testkit.NewClock()
	clock.Advance(time.Since(clock.Now()))
	w = newWorldAt(t, clock, func(c *tenantmanager.Config) {
		c.Outbound.AllowLoopback = true
		c.DNS.Servers, c.DNS.Every = []string{z.address}, schema.Duration(time.Second)
	})
	owner = w.setUp(t)
	w.organization(t, "second", "two@example.com")
	return w, z, owner, w.signIn(t, "two@example.com", "second")
}

// verifyAll has an administrator of the platform verify what waits and is free.
func (w *world) verifyAll(t *testing.T, owner string) {
	t.Helper()
	list := w.call(t, owner, "GET", "/platform/domains?status=pending", "")
	require.Equal(t, 200, list.status, list.body)
	var page struct{ Items []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(list.body), &page))
	for _, d := range page.Items {
		a := w.call(t, owner, "PUT", "/platform/domains/"+d.ID+"/verification", `{"reason":"known"}`)
		require.Contains(t, []int{200, 409}, a.status, a.body)
	}
}

const lookedFor = 15 * time.Second // the service looks once a second

func TestADomainIsProvenByDNS(t *testing.T) {
	t.Parallel()
	w, z, owner, stranger := zoneWorld(t)
	for body, code := range map[string]string{`{"domain":"acme"}`: "/domain", `{}`: "/domain", `{"domain":"a@b.example"}`: "/domain", `{"domain":"a.example","x":1}`: "/x"} {
		a := w.call(t, stranger, "POST", "/domains", body)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"pointer":"`+code+`"`)
	}
	a := w.call(t, stranger, "POST", "/domains", `{"domain":" Acme.Example "}`)
	require.Equal(t, 201, a.status, a.body)
	id, value := a.text(t, "id"), a.text(t, "record/value")
	require.Equal(t, "_gatehouse-verification.acme.example", a.text(t, "record/name"))
	require.Equal(t, "pending", a.text(t, "status"))
	require.Equal(t, 409, w.call(t, stranger, "POST", "/domains", `{"domain":"acme.example"}`).status)

	// It leads nobody anywhere, neither to single sign-on nor into a directory.
	connect := `{"name":"ID","kind":"oidc","issuer":"https://login.example.com","clientId":"c","enabled":true,"domains":["acme.example"]}`
	c := w.call(t, stranger, "POST", "/sso/connections", connect)
	require.Equal(t, 201, c.status, c.body)
	require.Contains(t, c.body, `"unverifiedDomains":["acme.example"]`)
	require.JSONEq(t, `{}`, w.call(t, "", "POST", "/sign-in/methods", `{"email":"eve@acme.example"}`).body)
	d := w.directory(t, stranger, "Directory", "acme.example")
	require.Contains(t, d.fails(400, "", "POST", "/Users", `{"userName":"eve@acme.example"}`), "not verified")

	look := func(token, id, status, failure string) answer {
		t.Helper()
		a := w.call(t, token, "POST", "/domains/"+id+"/verification", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, status, a.text(t, "status"))
		if failure != "" {
			require.Equal(t, failure, a.text(t, "failure"))
		} else {
			require.NotContains(t, a.body, `"failure"`)
		}
		return a
	}
	const record = "_gatehouse-verification.acme.example"
	look(stranger, id, "pending", "missing")
	z.set(record, "something else")
	look(stranger, id, "pending", "other-value")
	z.fail(true)
	look(stranger, id, "pending", "unanswered")
	z.fail(false)
	require.Equal(t, 404, w.call(t, owner, "POST", "/domains/"+id+"/verification", "").status, "it is another organization's")

	// Found by itself.
	z.set(record, "something else", value)
	w.clock.Advance(time.Hour)
	status := func(token, id string) string { return w.call(t, token, "GET", "/domains/"+id, "").text(t, "status") }
	stranger = w.signIn(t, "two@example.com", "second")
	require.Eventually(t, func() bool { return status(stranger, id) == "verified" }, lookedFor, 50*time.Millisecond)
	require.Contains(t, w.call(t, "", "POST", "/sign-in/methods", `{"email":"eve@acme.example"}`).body, `"name":"ID"`)
	d.user("eve@acme.example")

	// Another organization may claim it, and cannot have it.
	owner = w.signIn(t, "ada@example.com", "default")
	mine := w.call(t, owner, "POST", "/domains", `{"domain":"acme.example"}`)
	require.Equal(t, 201, mine.status, mine.body)
	require.Equal(t, "pending", mine.text(t, "status"), "not even by who administers the platform")
	z.set(record, value, mine.text(t, "record/value"))
	look(owner, mine.text(t, "id"), "pending", "taken")
	require.Equal(t, 409, w.call(t, owner, "PUT", "/platform/domains/"+mine.text(t, "id")+"/verification", `{"reason":"ours"}`).status)

	// It counts for a while without its record, whatever servers do not answer.
	z.fail(true)
	w.clock.Advance(100 * 24 * time.Hour)
	stranger = w.signIn(t, "two@example.com", "second")
	look(stranger, id, "verified", "unanswered")
	z.fail(false)
	z.set(record, mine.text(t, "record/value"))
	a = look(stranger, id, "failing", "other-value")
	require.NotEmpty(t, a.text(t, "countsUntil"))
	require.Contains(t, w.call(t, "", "POST", "/sign-in/methods", `{"email":"eve@acme.example"}`).body, `"name":"ID"`)
	z.set(record, value)
	look(stranger, id, "verified", "")
	z.set(record, mine.text(t, "record/value"))
	look(stranger, id, "failing", "other-value")
	w.clock.Advance(7*24*time.Hour + time.Minute)
	stranger = w.signIn(t, "two@example.com", "second")
	require.Eventually(t, func() bool { return status(stranger, id) == "lost" }, lookedFor, 50*time.Millisecond)
	owner = w.signIn(t, "ada@example.com", "default")
	look(owner, mine.text(t, "id"), "verified", "")
	require.JSONEq(t, `{}`, w.call(t, "", "POST", "/sign-in/methods", `{"email":"eve@acme.example"}`).body)
	for _, action := range []string{"domain.claimed", "domain.verified", "domain.failing", "domain.found-again", "domain.lost"} {
		require.Eventually(t, func() bool {
			return strings.Contains(w.call(t, stranger, "GET", "/audit?action="+action, "").body, `"`+action+`"`)
		}, eventually, tick, action)
	}

	// Given up, it leads nowhere.
	a = w.call(t, owner, "DELETE", "/domains/"+mine.text(t, "id"), "", anyVersion...)
	require.Equal(t, 204, a.status, a.body)
	z.set(record, value)
	look(stranger, id, "verified", "")
	require.Equal(t, 204, w.call(t, stranger, "DELETE", "/domains/"+id, "", anyVersion...).status)
	require.Contains(t, w.call(t, stranger, "GET", "/sso/connections/"+c.text(t, "id"), "").body, `"domains":[]`)
}

// Of domains that no DNS shows, administrators of the platform say whose they are.
func TestADomainIsVerifiedByHand(t *testing.T) {
	t.Parallel()
	w, _, owner, stranger := zoneWorld(t)
	id := w.call(t, stranger, "POST", "/domains", `{"domain":"corp.internal"}`).text(t, "id")
	list := w.call(t, owner, "GET", "/platform/domains?status=pending&q=corp", "")
	require.Equal(t, 200, list.status, list.body)
	require.Contains(t, list.body, `"slug":"second"`)
	require.Equal(t, 403, w.call(t, stranger, "GET", "/platform/domains", "").status)
	require.Equal(t, 403, w.call(t, stranger, "PUT", "/platform/domains/"+id+"/verification", `{"reason":"mine"}`).status)
	require.Equal(t, 422, w.call(t, owner, "PUT", "/platform/domains/"+id+"/verification", `{"reason":""}`).status)
	a := w.call(t, owner, "PUT", "/platform/domains/"+id+"/verification", `{"reason":"asked the network team"}`)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "hand", a.text(t, "method"))
	a = w.call(t, stranger, "POST", "/domains/"+id+"/verification", "")
	require.Equal(t, "verified", a.text(t, "status"), "it stands without a record")
	for _, token := range []string{owner, stranger} {
		require.Eventually(t, func() bool {
			return strings.Contains(w.call(t, token, "GET", "/audit?action=domain.verified", "").body, "asked the network team")
		}, eventually, tick)
	}
	require.NotContains(t, w.call(t, stranger, "GET", "/audit?action=domain.verified", "").body, "ada@example.com")

	// In the first organization whoever administers the platform says so by naming it.
	a = w.call(t, owner, "POST", "/domains", `{"domain":"own.internal"}`)
	require.Equal(t, "verified", a.text(t, "status"))
	admin := w.invite(t, owner, "adm@example.com", `{"role":"administrator"}`).text(t, "accessToken")
	require.Equal(t, "pending", w.call(t, admin, "POST", "/domains", `{"domain":"other.internal"}`).text(t, "status"))
	require.Contains(t, w.call(t, admin, "GET", "/domains?sort=-domain&limit=1", "").body, `"own.internal"`)
	require.Contains(t, w.call(t, admin, "GET", "/domains?status=pending", "").body, `"other.internal"`)

	a = w.call(t, owner, "DELETE", "/platform/domains/"+id+"/verification", "")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "pending", a.text(t, "status"))
	require.Equal(t, 409, w.call(t, owner, "DELETE", "/platform/domains/"+id+"/verification", "").status)
}
