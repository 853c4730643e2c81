// Package devportal is the service behind the developer portal: the catalogue of
// published APIs, applications with their credentials and subscriptions, the feed
// by which gateways learn of them, and a relay to try operations.
package devportal

import (
	"context"
	_ "embed"
	"net"
	"net/http"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/api"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/clients"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/events"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/relay"
	"github.com/gatehouse/gatehouse/services/devportal-backend/migrations"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

//go:embed openapi.yaml
var openapi []byte

// Config is the configuration of the service.
type Config struct {
	service.Config
	// Try bounds what readers of the portal may call from it.
	Try Try `json:"try,omitzero"`

	// Listening, where not nil, is told the TCP address.
	Listening func(net.Addr) `json:"-"`
}

// Try is the relay by which operations are tried from the portal.
type Try struct {
	// Timeout is how long a call may take.
	Timeout schema.Duration `json:"timeout,omitempty" schema:"min=1s,max=5m"`
	// Body is how much of an answer is passed on.
	Body schema.Bytes `json:"body,omitempty" schema:"min=1KiB,max=16MiB"`
	// Calls is how many may be under way at once in one replica.
	Calls int `json:"calls,omitempty" schema:"min=1,max=10000"`
	// Dial names, for addresses as consumers call them (host:port), where they are
	// reached from this service: such as 127.0.0.1:8000 at gateway:8000. Others are
	// reached as they are.
	Dial map[string]string `json:"dial,omitempty"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	return Config{
		Config: service.DefaultConfig(),
		Try:    Try{Timeout: schema.Duration(30e9), Body: 1 << 20, Calls: 64},
	}
}

// Validate checks what the form of the configuration does not say.
func (c *Config) Validate() []problem.Field {
	var fields []problem.Field
	if !c.Secrets.Pepper.IsSet() {
		fields = append(fields, problem.Field{
			Pointer: "/secrets/pepper", Code: schema.RuleRequired, Detail: "keys are stored as hashes with it: make one with openssl rand -hex 32",
		})
	}
	for from, to := range c.Try.Dial {
		for _, address := range []string{from, to} {
			if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
				fields = append(fields, problem.Field{Pointer: "/try/dial/" + schema.Escape(from), Code: schema.RuleFormat, Detail: "use host:port on both sides"})
				break
			}
		}
	}
	return fields
}

// Part returns the service as a part of a process.
func Part(cfg Config) app.Part {
	return service.Part(service.Options{
		Name: portal.Service, Config: cfg.Config, Migrations: migrations.Files, Listening: cfg.Listening,
	}, func(ctx context.Context, k *service.Kit) (http.Handler, error) {
		s, err := k.Server(openapi)
		if err != nil {
			return nil, err
		}
		r := relay.New(relay.Limits{Time: cfg.Try.Timeout.Std(), Body: int64(cfg.Try.Body), Calls: cfg.Try.Calls}, cfg.Try.Dial)
		keeper := &clients.Keeper{DB: k.DB, Bus: k.Bus}
		api.RegisterHandlers(s.API(), api.NewStrictHandler(api.New(k, r, keeper), nil))
		return s, events.Start(ctx, k, keeper)
	})
}
