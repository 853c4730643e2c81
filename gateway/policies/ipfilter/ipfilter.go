// Package ipfilter is the policy type ip-filter: it lets requests pass or
// refuses them by the address they come from. It knows nothing of how the
// client's address was established.
package ipfilter

import (
	"net/netip"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of an ip-filter policy.
type Config struct {
	// Allow are the addresses and blocks that may call. Where it is empty, all
	// may that are not denied.
	Allow []schema.CIDR `json:"allow,omitempty" schema:"anyof=lists,minItems=1"`
	// Deny are the addresses and blocks that may not call, even where allow names
	// them.
	Deny []schema.CIDR `json:"deny,omitempty" schema:"anyof=lists,minItems=1"`
	// Address is which address counts: client, which a trusted proxy may tell, or
	// peer, the other end of the connection. The default is client.
	Address string `json:"address,omitempty" schema:"enum=client|peer"`
	// Status is the status of the refusal, 403 by default; 404 hides that there
	// is something.
	Status int `json:"status,omitempty" schema:"min=400,max=499"`
	// Detail is the text of the refusal.
	Detail string `json:"detail,omitempty" schema:"maxLength=500"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	defaults := Config{Address: "client", Status: 403, Detail: "requests from this address are not allowed"}
	d := policy.Define("ip-filter", "IP filter", defaults, compile, schemaDoc)
	d.Doc = "Lets requests pass by the address of the client. A denied block wins over an allowed one, and an address that " +
		"cannot be established is refused. Lists of any length cost the same few steps for each request."
	d.Example = "allow: [10.0.0.0/8, 2001:db8::/32]\ndeny: [10.9.0.0/16]"
	return d
}

func compile(c Config, _ policy.Env) (policy.Hooks, error) {
	if len(c.Allow) == 0 && len(c.Deny) == 0 {
		return policy.Hooks{}, policy.Invalid("/allow", "neither allow nor deny names an address; name one")
	}
	allow, deny := newSet(c.Allow), newSet(c.Deny)
	all := len(c.Allow) == 0
	peer := c.Address == "peer"
	// 404 must look like any other address that is not there.
	refused := problem.New(problem.CodeAddressDenied, "%s", c.Detail).WithStatus(c.Status)
	if c.Status == 404 {
		refused = problem.New(problem.CodeNotFound, "%s", c.Detail)
	}
	return policy.Hooks{Inbound: func(ex *policy.Exchange) error {
		a := ex.Request.Client
		if peer {
			a = ex.Request.Peer.Addr()
		}
		if !a.IsValid() {
			return refused
		}
		a = a.Unmap().WithZone("")
		if deny.contains(a) || !all && !allow.contains(a) {
			return refused
		}
		return nil
	}}, nil
}

func newSet(blocks []schema.CIDR) *set {
	prefixes := make([]netip.Prefix, 0, len(blocks))
	for _, b := range blocks {
		prefixes = append(prefixes, b.Prefix())
	}
	return compileSet(prefixes)
}
