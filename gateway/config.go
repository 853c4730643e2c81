package gateway

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/listen"
	"github.com/gatehouse/gatehouse/gateway/internal/tracing"
	"github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the gateway's file: how the gateway itself runs, and what it serves.
// All but APIs, applications, policies
// and policy sets is read at the start; the rest is read again
// whenever the file changes.
type Config struct {
	// Name is the gateway's own, in records and in Via. The default is the host
	// name.
	Name string `json:"name,omitempty" schema:"maxLength=100"`
	// Listeners are where traffic comes in.
	Listeners []listen.Listener `json:"listeners,omitempty" schema:"minItems=1"`
	// Admin is the listener for operators.
	Admin Admin `json:"admin,omitzero"`
	// Log says what is written about requests.
	Log traffic.Config `json:"log,omitzero"`
	// Tracing says where spans are sent.
	Tracing tracing.Config `json:"tracing,omitzero"`
	// Data is a directory for what must survive a restart: the last good
	// configuration, counts of quotas, key sets. None = nothing is kept.
	Data string `json:"data,omitempty"`
	// DataKey encrypts the last good configuration on disk: 32 bytes in hex or
	// base64, best as env:NAME or file:PATH.
	DataKey schema.Secret `json:"dataKey,omitzero"`
	// TrustedProxies are the peers whose X-Forwarded-* and X-Request-Id are
	// believed. The default trusts nobody.
	TrustedProxies []schema.CIDR `json:"trustedProxies,omitempty"`
	// IdentityHeaders are header fields that clients cannot send, besides those
	// that the gateway sets itself.
	IdentityHeaders []string `json:"identityHeaders,omitempty"`
	// Redis holds the counts that gateways share.
	Redis *Redis `json:"redis,omitempty"`
	// Memory bounds what policies such as cache keep in memory; the default is
	// 64MiB.
	Memory schema.Bytes `json:"memory,omitempty"`
	// AllowUpstreams are networks that upstreams may be in although they are
	// refused by default: this machine's admin listener and the metadata services
	// of clouds.
	AllowUpstreams []schema.CIDR `json:"allowUpstreams,omitempty"`
	// DrainDelay is how long the gateway goes on accepting connections after it
	// was told to stop, so that load balancers notice.
	DrainDelay schema.Duration `json:"drainDelay,omitempty"`
	// DrainTime is how long requests under way may then take.
	DrainTime schema.Duration `json:"drainTime,omitempty"`
	// ControlPlane is where what is served comes from, in place of the file.
	ControlPlane *ControlPlane `json:"controlPlane,omitempty"`
	// Vault is where secrets are that are named as vault:mount/path#field.
	Vault *reference.VaultConfig `json:"vault,omitempty"`
	// References say which secrets policies of a control plane may name by a
	// reference. By default they may name none.
	References reference.Rules `json:"references,omitzero"`

	// Resolver reads references; [Load] makes it where it is not given one.
	Resolver *reference.Resolver `json:"-"`

	file.Config
}

// Listener is where traffic comes in.
type Listener = listen.Listener

// Admin is the listener for operators. It never carries traffic.
type Admin struct {
	// Address is host and port; "" = no such listener.
	Address string `json:"address,omitempty" schema:"format=hostport"`
	// Token is asked for as a bearer token. It may be left out only where the
	// address is a loopback one.
	Token schema.Secret `json:"token,omitzero" schema:"minLength=16"`
}

// Redis says where the counts are that gateways share.
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
	// SentinelUsername is for the Sentinels themselves.
	SentinelUsername string `json:"sentinelUsername,omitempty"`
	// SentinelPassword is for the Sentinels themselves.
	SentinelPassword schema.Secret `json:"sentinelPassword,omitzero"`
	// Database is the number of the database.
	Database int `json:"database,omitempty" schema:"min=0"`
	// TLS encrypts the connection; certificates are verified.
	TLS bool `json:"tls,omitempty"`
	// Prefix begins every key.
	Prefix string `json:"prefix,omitempty"`
	// Budget is the longest that a request waits for Redis; the default is 20ms.
	Budget schema.Duration `json:"budget,omitempty"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	name, err := os.Hostname()
	if err != nil {
		name = "gateway"
	}
	return Config{Name: name, Memory: 64 << 20, DrainTime: schema.Duration(30e9)}
}

// Load reads a file or a directory of files. The document tells where things
// stand in it. What is wrong with single APIs is found later, when they are
// compiled. Where look is nil, references are read from where they lead to.
func Load(path string, look schema.Resolver) (Config, *config.Document, []problem.Field) {
	c := DefaultConfig()
	sources, err := config.Load(path)
	if err != nil {
		return c, nil, []problem.Field{{Code: "unreadable", Detail: err.Error()}}
	}
	doc, fields := config.DecodeAll(sources, &c)
	if len(fields) == 0 {
		fields = c.resolve(look)
	}
	if len(fields) == 0 {
		fields = c.validate()
	}
	if doc != nil {
		doc.Locate(fields)
	}
	return c, doc, fields
}

// dynamic are the keys of a file that belong to [file.Config].
var dynamic = []string{
	"organization", "project", "environment", "policies", "policySets", "apis", "applications", "credentialFiles",
}

// loadStatic reads only how the gateway itself runs, without reading what may be
// thousands of APIs. It returns false where the text of the file does not allow
// that, or has mistakes: then [Load] tells which.
func loadStatic(path string, look schema.Resolver) (Config, bool) {
	c := DefaultConfig()
	sources, err := config.Load(path)
	if err != nil {
		return c, false
	}
	sources, ok := config.Without(sources, dynamic...)
	if !ok {
		return c, false
	}
	if _, fields := config.DecodeAll(sources, &c); len(fields) > 0 {
		return c, false
	}
	if c.ControlPlane != nil { // then nothing else may stand in the file
		return c, false
	}
	return c, len(c.resolve(look)) == 0 && len(c.validate()) == 0
}

// resolve reads the secrets of the configuration.
func (c *Config) resolve(look schema.Resolver) []problem.Field {
	var fields []problem.Field
	for at, found := range map[string][]problem.Field{"/vault": c.Vault.Validate(), "/references": c.References.Validate()} {
		for _, f := range found {
			f.Pointer = at + f.Pointer
			fields = append(fields, f)
		}
	}
	if len(fields) > 0 {
		return fields
	}
	if look == nil {
		r, err := reference.New(reference.Options{Vault: c.Vault})
		if err != nil {
			return []problem.Field{{Pointer: "/vault", Code: schema.RuleInvalid, Detail: err.Error()}}
		}
		c.Resolver, look = r, r.Look()
	}
	return schema.ResolveSecrets(c, look)
}

// validate checks what the form does not say.
func (c *Config) validate() []problem.Field {
	var fields []problem.Field
	for i, l := range c.Listeners {
		fields = append(fields, l.Validate("/listeners/"+strconv.Itoa(i))...)
	}
	log := c.Log
	if c.ControlPlane != nil && log.Spool.Dir != "" && log.Spool.URL == "" {
		log.Spool.URL = "http://bus" // records go over the bus
	}
	for _, f := range log.Validate() {
		f.Pointer = "/log" + f.Pointer
		fields = append(fields, f)
	}
	for _, f := range c.Tracing.Validate() {
		f.Pointer = "/tracing" + f.Pointer
		fields = append(fields, f)
	}
	if len(c.Listeners) == 0 {
		fields = append(fields, problem.Field{Pointer: "/listeners", Code: schema.RuleRequired, Detail: "name at least one listener, such as {address: \"127.0.0.1:8000\"}"})
	}
	if a := c.Admin; a.Address != "" && !a.Token.IsSet() && !loopback(a.Address) {
		fields = append(fields, problem.Field{
			Pointer: "/admin/token", Code: schema.RuleRequired,
			Detail: "the admin listener is open to other machines: give it a token, best as env:NAME or file:PATH, or a loopback address",
		})
	}
	for i, l := range c.Listeners {
		if c.Admin.Address != "" && l.Address == c.Admin.Address && !strings.HasSuffix(l.Address, ":0") { // any free port
			fields = append(fields, problem.Field{
				Pointer: "/admin/address", Code: schema.RuleInvalid,
				Detail: fmt.Sprintf("listener %d has the same address; management never shares a port with traffic", i),
			})
		}
	}
	fields = append(fields, c.validatePlane()...)
	if _, err := c.dataKey(); err != nil {
		fields = append(fields, problem.Field{Pointer: "/dataKey", Code: schema.RuleFormat, Detail: err.Error()})
	}
	return fields
}

func loopback(address string) bool {
	ap, err := netip.ParseAddrPort(address)
	return err == nil && ap.Addr().IsLoopback()
}

// dataKey returns the key of the cache, nil for none.
func (c *Config) dataKey() ([]byte, error) {
	s := c.DataKey.Reveal()
	if s == "" {
		return nil, nil
	}
	key, err := hex.DecodeString(s)
	if err != nil {
		key, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("want 32 bytes, in hex or base64; `openssl rand -hex 32` makes some") //nolint:err113 // shown as it is
	}
	return key, nil
}
