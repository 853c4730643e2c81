package bus

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// Access is what one service does on the bus. Its NATS user may do that, and
// nothing else.
type Access struct {
	// Service is the service's name, also the name of its user. It may publish
	// the events, answer the requests and serve the forwarded HTTP of that name.
	Service string
	// Durables are the names under which it consumes events.
	Durables []string
	// Asks and Forwards are the services to which it sends requests and HTTP.
	Asks, Forwards []string
	// Listens are the services to whose events it listens, without a durable.
	Listens []string
}

// Grant lists the subjects that a NATS user may use.
type Grant struct {
	// Publish and Subscribe are subjects, which may have wildcards.
	Publish, Subscribe []string
}

// Grant returns what the service's NATS user must be allowed. It fails for
// names that are not fit for subjects.
//
// Of JetStream that is: to make the streams where they are missing, its own
// consumers of the stream of events, and its own leases. Answers go to inboxes
// whose names cannot be guessed, and nobody may listen to another's.
func (a Access) Grant() (Grant, error) {
	for _, names := range [][]string{{a.Service}, a.Durables, a.Asks, a.Forwards, a.Listens} {
		for _, n := range names {
			if !token(n) {
				return Grant{}, fmt.Errorf("permissions of %q: name %q must be of letters, digits and hyphens", a.Service, n)
			}
		}
	}
	g := Grant{
		Publish: []string{
			contract.Events + "*." + a.Service + ".*",
			deadPrefix + a.Service + ".*",
			inboxPrefix + ">",
			"$JS.API.INFO",
			"$KV." + bucketLeases + "." + a.Service + ".*",
			"$JS.API.DIRECT.GET.KV_" + bucketLeases + ".$KV." + bucketLeases + "." + a.Service + ".*",
		},
		Subscribe: []string{
			contract.Requests + a.Service + ".*",
			httpPrefix + a.Service,
			cancelPrefix + a.Service,
			inboxPrefix + a.Service + ".>",
		},
	}
	for _, s := range []string{streamEvents, streamDead, "KV_" + bucketLeases} {
		g.Publish = append(g.Publish, "$JS.API.STREAM.INFO."+s, "$JS.API.STREAM.CREATE."+s)
	}
	for _, s := range a.Listens {
		g.Subscribe = append(g.Subscribe, contract.Events+"*."+s+".*")
	}
	for _, d := range a.Durables {
		name := streamEvents + "." + durableName(a.Service, d)
		g.Publish = append(g.Publish,
			"$JS.API.CONSUMER.CREATE."+name+".>",
			"$JS.API.CONSUMER.INFO."+name,
			"$JS.API.CONSUMER.MSG.NEXT."+name,
			"$JS.ACK."+name+".>",
		)
	}
	peers := map[string]bool{}
	for _, s := range a.Asks {
		g.Publish = append(g.Publish, contract.Requests+s+".*")
		peers[s] = true
	}
	for _, s := range a.Forwards {
		g.Publish = append(g.Publish, httpPrefix+s)
		peers[s] = true
	}
	for _, names := range [][]string{a.Asks, a.Forwards} {
		for _, s := range names {
			if peers[s] {
				g.Publish = append(g.Publish, cancelPrefix+s)
				peers[s] = false
			}
		}
	}
	return g, nil
}

// String returns the grant as the permissions block of a user in the
// configuration file of nats-server.
func (g Grant) String() string {
	var s strings.Builder
	s.WriteString("{\n")
	for _, part := range []struct {
		name     string
		subjects []string
	}{{"publish", g.Publish}, {"subscribe", g.Subscribe}} {
		fmt.Fprintf(&s, "  %s: { allow: [\n", part.name)
		for _, subject := range part.subjects {
			fmt.Fprintf(&s, "    %q\n", subject)
		}
		s.WriteString("  ] }\n")
	}
	s.WriteString("}\n")
	return s.String()
}
