package service

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Config is what the configurations of all services have in common. A service's
// own embeds it.
type Config struct {
	// Listen is host and port of the REST API for automation, and of health and
	// metrics. Without it the service is reached over NATS only.
	Listen string `json:"listen,omitempty" schema:"format=hostport"`
	// Operations is host and port of a further listener with health and metrics
	// alone.
	Operations string `json:"operations,omitempty" schema:"format=hostport"`
	// Database is where the service keeps its data.
	Database Database `json:"database,omitzero"`
	// Bus is how the service reaches the others.
	Bus Bus `json:"bus,omitzero"`
	// Secrets protect what is stored.
	Secrets Secrets `json:"secrets,omitzero"`
	// Log says what is written to standard error.
	Log Log `json:"log,omitzero"`
	// Vault is where secrets are that are named as vault:mount/path#field.
	Vault *reference.VaultConfig `json:"vault,omitempty"`
	// References say which secrets people may name by a reference who do not write
	// this file. By default they may name none.
	References reference.Rules `json:"references,omitzero"`

	// Resolver reads references; nil = there is nothing but environment and files.
	// [Main] makes it.
	Resolver *reference.Resolver `json:"-"`
	// Settings are what the whole configuration says, for administrators; see
	// [Describe].
	Settings []system.Setting `json:"-"`
	// InProcess connects to a NATS server of the same process, in place of
	// Bus.URL.
	InProcess nats.InProcessConnProvider `json:"-"`
}

// Database is a database and its replicas.
type Database struct {
	// DSN is postgres://user:password@host:port/database?sslmode=…,
	// mysql://user:password@host:port/database?tls=… or sqlite:PATH, best as
	// env:NAME or file:PATH.
	DSN schema.Secret `json:"dsn,omitzero"`
	// Replicas are addresses of read replicas, in the same form.
	Replicas []schema.Secret `json:"replicas,omitempty"`
	// MaxOpen bounds the connections to the primary and to each replica; the
	// default is 16.
	MaxOpen int `json:"maxOpen,omitempty" schema:"min=0,max=10000"`
}

// Bus is a connection to NATS.
type Bus struct {
	// URL is one or more addresses, separated by commas, such as
	// nats://nats:4222 or tls://nats:4222.
	URL string `json:"url,omitempty"`
	// Username is the service's own; the default is its name.
	Username string `json:"username,omitempty"`
	// Password is best written as env:NAME or file:PATH.
	Password schema.Secret `json:"password,omitzero"`
	// CA is a file with the certificates, in PEM, that the server's is checked
	// against; the default are the system's.
	CA string `json:"ca,omitempty"`
	// Certificate is a file, in PEM, by which the service identifies itself; none by
	// default.
	Certificate string `json:"certificate,omitempty"`
	// Key is the file with the key of the certificate, in PEM.
	Key string `json:"key,omitempty"`
	// Replicas is how many copies of streams a cluster keeps; the default is 1.
	Replicas int `json:"replicas,omitempty" schema:"min=0,max=5"`
}

// Secrets are the keys of a service.
type Secrets struct {
	// Keyring encrypts secrets in the database: one key a line, newest first, each
	// as id:64 hexadecimal digits, best as file:PATH. Make one with
	// openssl rand -hex 32.
	Keyring schema.Secret `json:"keyring,omitzero"`
	// Pepper goes into the hashes of API keys and tokens, and signs cursors: 32
	// characters or more, best as file:PATH. It must never change.
	Pepper schema.Secret `json:"pepper,omitzero" schema:"minLength=32"`
}

// Log says what is logged.
type Log struct {
	// Level is the least that is logged.
	Level string `json:"level,omitempty" schema:"enum=debug|info|warn|error"`
}

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config { return Config{Log: Log{Level: "info"}} }

// Common returns c. It lets [Main] find it in the configuration of a service.
func (c *Config) Common() *Config { return c }

func (c *Config) level() slog.Level {
	var l slog.Level
	if c.Log.Level == "" || l.UnmarshalText([]byte(c.Log.Level)) != nil {
		return slog.LevelInfo
	}
	return l
}

// validate checks what the form does not say.
func (c *Config) validate() []problem.Field {
	var fields []problem.Field
	add := func(pointer, code, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if c.Bus.URL == "" && c.InProcess == nil {
		add("/bus/url", schema.RuleRequired, "name the NATS server, such as nats://nats:4222")
	}
	if (c.Bus.Certificate == "") != (c.Bus.Key == "") {
		add("/bus/certificate", schema.RuleInvalid, "a certificate needs its key, and a key its certificate")
	}
	for at, found := range map[string][]problem.Field{"/vault": c.Vault.Validate(), "/references": c.References.Validate()} {
		for _, f := range found {
			add(at+f.Pointer, f.Code, f.Detail)
		}
	}
	if s := c.Secrets.Keyring; s.Reveal() != "" {
		if _, err := secret.ParseKeyring(s.Reveal()); err != nil {
			add("/secrets/keyring", schema.RuleFormat, err.Error())
		}
	}
	return fields
}

func (c *Config) busOptions(name string) (bus.Options, error) {
	o := bus.Options{
		Service: name, URL: c.Bus.URL, InProcess: c.InProcess, Username: c.Bus.Username,
		Password: c.Bus.Password.Reveal(), Replicas: c.Bus.Replicas,
	}
	if o.Username == "" && o.Password != "" {
		o.Username = name
	}
	if c.Bus.CA == "" && c.Bus.Certificate == "" {
		return o, nil
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Bus.CA != "" {
		pem, err := os.ReadFile(c.Bus.CA)
		if err != nil {
			return o, fmt.Errorf("loading the certificates of NATS: %w", err)
		}
		o.TLS.RootCAs = x509.NewCertPool()
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, fmt.Errorf("loading the certificates of NATS: %s has none in PEM", c.Bus.CA)
		}
	}
	if c.Bus.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Bus.Certificate, c.Bus.Key)
		if err != nil {
			return o, fmt.Errorf("loading the certificate for NATS: %w", err)
		}
		o.TLS.Certificates = []tls.Certificate{pair}
	}
	return o, nil
}

var errNoDSN = errors.New("database.dsn is not set: name the database, such as sqlite:/var/lib/gatehouse/data.db")

func (c *Config) dbConfig(cursorKey []byte) (db.Config, error) {
	if !c.Database.DSN.IsSet() {
		return db.Config{}, errNoDSN
	}
	d := db.Config{DSN: c.Database.DSN.Reveal(), MaxOpen: c.Database.MaxOpen, CursorKey: cursorKey}
	for _, r := range c.Database.Replicas {
		d.Replicas = append(d.Replicas, r.Reveal())
	}
	return d, nil
}
