package bus

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/system"
)

// Access is what one service does on the bus. Its NATS user may do that, and
// nothing else.
type Access struct {
	// Service is the service's name, also the name of its user. It may publish
	// the events, answer the requests and serve the forwarded HTTP of that name.
	Service string
	// Durables are the names under which it consumes events.
	Durables []string
	// Asks and Forwards are the services to which it sends requests and HTTP. One
	// it asks may be limited to a verb, such as "gateway-manager.register".
	Asks, Forwards []string
	// Buckets are those that it reads or writes.
	Buckets []BucketAccess
	// Ships are the prefixes under which it ships, as "<organization>.<group>.<gateway>",
	// of which each may be "*".
	Ships []string
	// Collects are the durable names under which it collects what is shipped.
	Collects []string
	// Listens are the services to whose events it listens, without a durable.
	Listens []string
	// Client says that it is no service but only uses some: it asks, reads buckets
	// and ships. It cannot answer, publish, consume or lease.
	Client bool
}

// BucketAccess is what a service does with a bucket. It may read it.
type BucketAccess struct {
	// Name is the bucket's.
	Name string
	// Write says that it may also write, and make the bucket where it is missing.
	Write bool
	// Keys are the keys, or patterns of keys, to which it is limited; none = all.
	Keys []string
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
	if err := a.check(); err != nil {
		return Grant{}, err
	}
	g := Grant{Subscribe: []string{inboxPrefix + a.Service + ".>"}}
	if !a.Client {
		g = a.service()
	}
	a.requests(&g)
	for _, k := range a.Buckets {
		k.grant(&g)
	}
	a.shipments(&g)
	return g, nil
}

func (a Access) check() error {
	for _, names := range [][]string{{a.Service}, a.Durables, a.Forwards, a.Collects, a.Listens} {
		for _, n := range names {
			if !token(n) {
				return fmt.Errorf("permissions of %q: name %q must be of letters, digits and hyphens", a.Service, n)
			}
		}
	}
	for _, n := range a.Asks {
		service, verb, limited := strings.Cut(n, ".")
		if !token(service) || limited && !token(verb) {
			return fmt.Errorf("permissions of %q: %q must be a service, or a service and a verb with a dot between", a.Service, n)
		}
	}
	for _, k := range a.Buckets {
		if !token(k.Name) {
			return fmt.Errorf("permissions of %q: bucket %q must be of letters, digits and hyphens", a.Service, k.Name)
		}
		for _, f := range k.Keys {
			if !validFilter(f) {
				return fmt.Errorf("permissions of %q: bucket %s: keys %q: %w", a.Service, k.Name, f, errKey)
			}
		}
	}
	for _, s := range a.Ships {
		parts := strings.Split(s, ".")
		for _, p := range parts {
			if len(parts) != 3 || p != "*" && !token(p) {
				return fmt.Errorf("permissions of %q: %q must be an organization, a group and a gateway, with dots between", a.Service, s)
			}
		}
	}
	if a.Client && (len(a.Durables) > 0 || len(a.Forwards) > 0 || len(a.Collects) > 0) {
		return fmt.Errorf("permissions of %q: a client does not consume, forward or collect", a.Service)
	}
	return nil
}

// service returns what every service may do.
func (a Access) service() Grant {
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
	// What an instance tells of itself, and what is asked of it.
	BucketAccess{Name: system.Bucket, Write: true, Keys: []string{system.ReportKey(a.Service, "*")}}.grant(&g)
	BucketAccess{Name: system.Bucket, Keys: []string{system.RunKey(a.Service, "*")}}.grant(&g)
	for _, d := range a.Durables {
		g.durable(streamEvents, durableName(a.Service, d))
	}
	return g
}

// durable grants one consumer that is kept.
func (g *Grant) durable(stream, name string) {
	name = stream + "." + name
	g.Publish = append(g.Publish,
		"$JS.API.CONSUMER.CREATE."+name+".>",
		"$JS.API.CONSUMER.INFO."+name,
		"$JS.API.CONSUMER.MSG.NEXT."+name,
		"$JS.ACK."+name+".>",
	)
}

// requests grants what is sent to other services.
func (a Access) requests(g *Grant) {
	peers := map[string]bool{}
	for _, s := range a.Asks {
		service, verb, limited := strings.Cut(s, ".")
		if !limited {
			verb = "*"
		}
		g.Publish = append(g.Publish, contract.Requests+service+"."+verb)
		peers[service] = true
	}
	for _, s := range a.Forwards {
		g.Publish = append(g.Publish, httpPrefix+s)
		peers[s] = true
	}
	for _, names := range [][]string{a.Asks, a.Forwards} {
		for _, s := range names {
			if s, _, _ = strings.Cut(s, "."); peers[s] {
				g.Publish = append(g.Publish, cancelPrefix+s)
				peers[s] = false
			}
		}
	}
}

// grant grants a bucket. Consumers are limited by their filter, which NATS wants
// as a part of the subject on which they are made, and have names that cannot be
// guessed.
func (k BucketAccess) grant(g *Grant) {
	stream, prefix := "KV_"+k.Name, "$KV."+k.Name+"."
	keys := k.Keys
	if len(keys) == 0 {
		keys = []string{">"}
		g.Publish = append(g.Publish, "$JS.API.CONSUMER.CREATE."+stream+".*") // with several filters
	}
	for _, f := range append([]string{epochKey}, keys...) {
		g.Publish = append(g.Publish,
			"$JS.API.DIRECT.GET."+stream+"."+prefix+f,
			"$JS.API.CONSUMER.CREATE."+stream+".*."+prefix+f,
		)
		if k.Write {
			g.Publish = append(g.Publish, prefix+f)
		}
	}
	g.Publish = append(g.Publish, "$JS.API.CONSUMER.MSG.NEXT."+stream+".*")
	if k.Write {
		g.Publish = append(g.Publish, "$JS.API.STREAM.INFO."+stream, "$JS.API.STREAM.CREATE."+stream)
	}
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
