// Package bustest is the contract of package bus: the same assertions for every
// shape in which services reach NATS. It is for tests only.
package bustest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract"
)

// Server is one NATS, of any shape, that a test has for itself.
type Server interface {
	// For returns options with which a service of [Access] connects.
	For(service string) bus.Options
	// Stop ends the server and keeps its files; Resume starts it again.
	Stop()
	Resume() error
	// Lose removes the files of a server that was stopped.
	Lose()
}

// The services of the suite.
const (
	orders  = "orders"
	billing = "billing"
	guest   = "guest"
	till    = "till" // a client
)

// Access is what the services of the suite must be allowed.
func Access() []bus.Access {
	return []bus.Access{
		{Service: orders, Asks: []string{billing}, Forwards: []string{billing}, Buckets: []bus.BucketAccess{{Name: stock, Write: true}, {Name: short, Write: true}}},
		{
			Service: billing, Durables: []string{"ledger", "mail"}, Collects: []string{"records"}, Listens: []string{orders},
			Buckets: []bus.BucketAccess{{Name: stock, Keys: []string{"acme.>"}}},
		},
		{Service: till, Client: true, Asks: []string{billing + ".price"}, Ships: []string{"acme.main.a"}},
		{Service: guest},
	}
}

// Run runs the suite. The factory makes a fresh server; its files and what it
// started are gone with the test.
func Run(t *testing.T, factory func(t *testing.T) Server) {
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s Server)
	}{
		{"events", testEvents},
		{"order", testOrder},
		{"settling", testSettling},
		{"duplicate", testDuplicate},
		{"replicas", testReplicas},
		{"listening", testListening},
		{"slow", testSlow},
		{"restart", testRestart},
		{"any start order", testStartOrder},
		{"permissions", testPermissions},
		{"graceful stop", testGracefulStop},
		{"requests", testRequests},
		{"forward", testForward},
		{"forward breaks", testForwardBreaks},
		{"forward to one that stops", testForwardStopped},
		{"lease", testLease},
		{"bucket", testBucket},
		{"bucket watch", testBucketWatch},
		{"bucket permissions", testBucketPermissions},
		{"bucket that forgets", testBucketThatForgets},
		{"ship", testShip},
		{"ship failures", testShipFailures},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, factory(t))
		})
	}
}

// Shipped is the event of the suite.
type Shipped struct {
	Tenant string `json:"tenant"`
	Number int    `json:"number"`
}

// Subject is the event's subject.
func (e Shipped) Subject() string { return contract.Event(e.Tenant, orders, "shipped") }

// Price is the request of the suite.
type Price struct {
	Item string `json:"item"`
}

// PriceReply is its answer.
type PriceReply struct {
	Cents int `json:"cents"`
}

// Subject is the request's subject.
func (Price) Subject() string { return contract.Request(billing, "price") }

// Reply tells the type of the answer.
func (Price) Reply() (r PriceReply) { return }

// Refund is a request that the client of the suite may not make.
type Refund struct {
	Item string `json:"item"`
}

// Subject is the request's subject.
func (Refund) Subject() string { return contract.Request(billing, "refund") }

// Reply tells the type of the answer.
func (Refund) Reply() (r PriceReply) { return }

const patience = 10 * time.Second

func connect(t *testing.T, o bus.Options) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(o)
	require.NoError(t, err)
	t.Cleanup(func() { closeBus(t, b) })
	return b
}

func eventually(t *testing.T, ok func() bool, msg string) {
	t.Helper()
	require.Eventually(t, ok, patience, 5*time.Millisecond, msg)
}
