package bff

import (
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Config is the configuration of bff. It needs no database; Listen is where
// browsers and command lines come in.
type Config struct {
	service.Config
	// Sessions says where sessions of browsers are kept.
	Sessions Sessions `json:"sessions,omitzero"`
	// Apps are the host names of the browser apps.
	Apps Apps `json:"apps,omitzero"`
	// Organization is the short name of the organization whose portal visitors see
	// who are not signed in.
	Organization string `json:"organization,omitempty" schema:"minLength=1,maxLength=63"`
	// Organizations are the short names of other organizations by the host names
	// under which they are reached, such as developers.acme.example: whose portal
	// visitors see there, and whose brand the sign-in pages have.
	Organizations map[string]string `json:"organizations,omitempty"`
	// TrustedProxies are the peers whose X-Forwarded-For and X-Forwarded-Proto are
	// believed. The default trusts nobody.
	TrustedProxies []schema.CIDR `json:"trustedProxies,omitempty"`
	// ClientCertificateHeader is the field in which a trusted proxy tells the
	// certificate that a client has shown to it, for clients of the authorization
	// server (RFC 8705): as RFC 9440 has it, as escaped PEM, or as base64 of the DER
	// form. The proxy must remove what clients send under the name. The default is
	// none.
	ClientCertificateHeader string `json:"clientCertificateHeader,omitempty" schema:"pattern=^[A-Za-z0-9-]{1,64}$"`
	// BodyLimit bounds what is passed on to services.
	BodyLimit schema.Bytes `json:"bodyLimit,omitempty" schema:"min=1kB"`

	// Frontend returns what serves a browser app, by the name of its folder; nil =
	// the files in the program.
	Frontend func(app string) (http.Handler, error) `json:"-"`
	// Listening, where not nil, is told the TCP address.
	Listening func(net.Addr) `json:"-"`
	// Socket, where not nil, is already open on Listen; bff closes it.
	Socket net.Listener `json:"-"`
}

// Sessions says where sessions of browsers are kept.
type Sessions struct {
	// Lifetime is how long a session lives that is not used.
	Lifetime schema.Duration `json:"lifetime,omitempty" schema:"min=10m,max=365d"`
	// Redis keeps them; without it NATS does.
	Redis *Redis `json:"redis,omitempty"`
}

// Redis is where sessions are kept.
type Redis struct {
	// Addresses are host:port of the server, of the Sentinels, or of some nodes of
	// a cluster.
	Addresses []string `json:"addresses" schema:"required,minItems=1,format=hostport"`
	// Primary is the name of the primary that Sentinels watch.
	Primary string `json:"primary,omitempty"`
	// Cluster says that the addresses are nodes of a cluster.
	Cluster bool `json:"cluster,omitempty"`
	// Username is for Redis's access control lists.
	Username string `json:"username,omitempty"`
	// Password is best written as env:NAME or file:PATH.
	Password schema.Secret `json:"password,omitzero"`
	// SentinelPassword is for the Sentinels themselves.
	SentinelPassword schema.Secret `json:"sentinelPassword,omitzero"`
	// Database is the number of the database.
	Database int `json:"database,omitempty" schema:"min=0"`
	// TLS encrypts the connection; certificates are verified.
	TLS bool `json:"tls,omitempty"`
	// Prefix begins every key.
	Prefix string `json:"prefix,omitempty"`
}

// Apps are the host names of the browser apps. Each is a host name, or one that
// ends in ".*" and so stands for every name that begins so; "" = not served here.
type Apps struct {
	// Admin is the admin console's.
	Admin string `json:"admin,omitempty" schema:"pattern=^([A-Za-z0-9.-]+(\\.\\*)?)?$"`
	// Tenant is the tenant console's.
	Tenant string `json:"tenant,omitempty" schema:"pattern=^([A-Za-z0-9.-]+(\\.\\*)?)?$"`
	// Auth is the auth console's, where the authorization server is as well.
	Auth string `json:"auth,omitempty" schema:"pattern=^([A-Za-z0-9.-]+(\\.\\*)?)?$"`
	// Portal is the developer portal's.
	Portal string `json:"portal,omitempty" schema:"pattern=^([A-Za-z0-9.-]+(\\.\\*)?)?$"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	c := Config{
		Config:       service.DefaultConfig(),
		Sessions:     Sessions{Lifetime: schema.Duration(14 * 24 * time.Hour)},
		Apps:         Apps{Admin: "apim-admin.*", Tenant: "tenant-admin.*", Auth: "auth-admin.*", Portal: "developers.*"},
		Organization: "default",
		BodyLimit:    64 << 20,
	}
	c.Listen = "127.0.0.1:8080"
	return c
}

var (
	hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	slugs    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// Validate checks what the form does not say.
func (c *Config) Validate() []problem.Field {
	var fields []problem.Field
	if !c.Secrets.Keyring.IsSet() {
		fields = append(fields, problem.Field{Pointer: "/secrets/keyring", Code: schema.RuleRequired, Detail: "sessions are kept encrypted: make a key with openssl rand -hex 32, and name it as k1:KEY, best in a file"})
	}
	for host, slug := range c.Organizations {
		if !hostName.MatchString(host) || !slugs.MatchString(slug) {
			fields = append(fields, problem.Field{
				Pointer: "/organizations/" + host, Code: schema.RuleFormat,
				Detail: "name the short name of an organization for a host name in lower case, without a port: developers.acme.example: acme",
			})
		}
	}
	if c.ClientCertificateHeader != "" && len(c.TrustedProxies) == 0 {
		fields = append(fields, problem.Field{Pointer: "/trustedProxies", Code: schema.RuleRequired, Detail: "certificates are believed from trusted proxies only: name them"})
	}
	return fields
}
