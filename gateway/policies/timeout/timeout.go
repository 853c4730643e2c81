// Package timeout is the policy timeout: it bounds the time that an upstream
// may take, for the requests it is configured for. It does not measure time
// itself: the upstream's client does.
package timeout

import (
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of timeouts. At least one of them must be set;
// one that is left out is the upstream's own.
type Config struct {
	// Connect bounds the time to open a connection, name resolution and TLS
	// included.
	Connect schema.Duration `json:"connect,omitempty" schema:"anyof=limits,min=1ms,max=5m"`
	// Header bounds the wait for the response header, counted from when the
	// request was sent.
	Header schema.Duration `json:"header,omitempty" schema:"anyof=limits,min=1ms,max=1h"`
	// Total bounds the whole exchange with the upstream: connecting, further
	// attempts, pauses between them, and the response body. Set it not where
	// responses are event streams or large downloads.
	Total schema.Duration `json:"total,omitempty" schema:"anyof=limits,min=1ms,max=24h"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("timeout", "Timeout", Config{}, compile, schemaDoc)
	d.Doc = "Bounds the time that the upstream may take: to connect, to begin its response, and in all. A request that " +
		"takes longer is answered 504. Of several timeout policies the one that runs last decides."
	d.Example = "{connect: 2s, header: 10s, total: 30s}"
	return d
}

func compile(c Config, _ policy.Env) (policy.Hooks, error) {
	connect, header, total := time.Duration(c.Connect), time.Duration(c.Header), time.Duration(c.Total)
	if total > 0 && connect > total {
		return policy.Hooks{}, policy.Invalid("/connect",
			"%s is longer than the total of %s and so has no effect; make it shorter or leave it out", connect, total)
	}
	if total > 0 && header > total {
		return policy.Hooks{}, policy.Invalid("/header",
			"%s is longer than the total of %s and so has no effect; make it shorter or leave it out", header, total)
	}
	return policy.Hooks{Inbound: func(ex *policy.Exchange) error {
		if connect > 0 {
			ex.Forward.Connect = connect
		}
		if header > 0 {
			ex.Forward.Header = header
		}
		if total > 0 {
			ex.Forward.Total = total
		}
		return nil
	}}, nil
}
