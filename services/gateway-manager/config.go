package gatewaymanager

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Config is the configuration of gateway-manager.
type Config struct {
	service.Config
	// Gateways says how gateways report.
	Gateways Gateways `json:"gateways,omitzero"`
	// Import says what may be fetched.
	Import Import `json:"import,omitzero"`
	// Seed is what there is from the start.
	Seed Seed `json:"seed,omitzero"`
}

// Gateways says how gateways report.
type Gateways struct {
	// Heartbeat is how often a gateway reports; it is stale after 25 s.
	Heartbeat schema.Duration `json:"heartbeat" schema:"min=1s,max=20s"`
	// PublicURL is what the first gateway group of each organization is called at,
	// such as http://127.0.0.1:8000. It can be changed for each group.
	PublicURL string `json:"publicURL,omitempty" schema:"maxLength=500"`
}

// Import says what may be fetched when an OpenAPI document is imported by its
// address.
type Import struct {
	// AllowPrivate lets documents be fetched from private networks.
	AllowPrivate bool `json:"allowPrivate,omitempty"`
	// AllowLoopback lets documents be fetched from this machine.
	AllowLoopback bool `json:"allowLoopback,omitempty"`
	// Allow are single places that documents can be fetched from besides: a host
	// with or without a port, such as sample:9000, an address, or a network, such
	// as 10.20.0.0/16.
	Allow []string `json:"allow,omitempty" schema:"maxItems=100"`
	// Timeout bounds a fetch.
	Timeout schema.Duration `json:"timeout" schema:"min=1s,max=2m"`
}

func (i Import) guard() egress.Guard {
	return egress.Guard{AllowPrivate: i.AllowPrivate, AllowLoopback: i.AllowLoopback, Allow: i.Allow}
}

// Seed is what there is from the start.
type Seed struct {
	// Groups are gateway groups that are made where they are missing.
	Groups []SeedGroup `json:"groups,omitempty" schema:"maxItems=100"`
}

// SeedGroup is a gateway group with a join token that is known beforehand.
type SeedGroup struct {
	// Organization is the slug of the organization.
	Organization string `json:"organization" schema:"required,maxLength=63"`
	// Group is the slug of the gateway group.
	Group string `json:"group" schema:"required,maxLength=63"`
	// Environment is the slug or the name of its environment, where the group has
	// to be made; the default is the first.
	Environment string `json:"environment,omitempty" schema:"maxLength=100"`
	// PublicURL is what consumers call, where the group does not say yet.
	PublicURL string `json:"publicURL,omitempty" schema:"maxLength=500"`
	// JoinToken is what gateways join with, at least 24 characters, best as
	// file:PATH. One that was configured before is revoked.
	JoinToken schema.Secret `json:"joinToken,omitzero"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	return Config{
		Config: service.DefaultConfig(), Gateways: Gateways{Heartbeat: schema.Duration(10 * time.Second)},
		Import: Import{Timeout: schema.Duration(20 * time.Second)},
	}
}

// minToken is the shortest join token that is not guessed.
const minToken = 24

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate checks what the form does not say.
func (c *Config) Validate() []problem.Field {
	var fields []problem.Field
	add := func(pointer, code, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if !c.Secrets.Keyring.IsSet() {
		add("/secrets/keyring", schema.RuleRequired, "set the keys that encrypt signing keys, upstreams and revisions in the database")
	}
	if !isURL(c.Gateways.PublicURL) {
		add("/gateways/publicURL", schema.RuleFormat, "want http:// or https:// with a host")
	}
	fields = append(fields, c.Import.guard().Check("/import")...)
	for i, g := range c.Seed.Groups {
		at := fmt.Sprintf("/seed/groups/%d", i)
		for field, value := range map[string]string{"organization": g.Organization, "group": g.Group} {
			if !slug.MatchString(value) {
				add(at+"/"+field, schema.RuleFormat, fmt.Sprintf("%q is no slug: small letters, digits and hyphens", value))
			}
		}
		if !isURL(g.PublicURL) {
			add(at+"/publicURL", schema.RuleFormat, "want http:// or https:// with a host")
		}
		if g.JoinToken.IsSet() && len(g.JoinToken.Reveal()) < minToken {
			add(at+"/joinToken", schema.RuleMinLength, fmt.Sprintf("a join token has at least %d characters", minToken))
		}
	}
	return fields
}

func isURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
