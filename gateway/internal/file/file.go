// Package file is the gateway's human-written configuration: what may stand in
// gateway.yaml, and how its APIs and applications become the same units and
// credential feed that a control plane would send. The sections on listeners,
// logs and the like belong to the packages that they configure.
package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc
//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -dir ../../../libs/contract/unit -into unit_schema_doc.go -var unitDoc

// Docs are the texts of the types that make up the file, for its schema.
func Docs() []schema.Docs { return []schema.Docs{schemaDoc, unitDoc} }

// Config is the part of the file that may change while the gateway runs: APIs
// and all that belongs to them.
type Config struct {
	// Organization is what the APIs belong to, for records.
	Organization string `json:"organization,omitempty"`
	// Project is what the APIs belong to, for records; the default is "default".
	Project string `json:"project,omitempty"`
	// Environment is what the gateway serves, such as PRD, for records.
	Environment string `json:"environment,omitempty"`
	// Policies apply to every request, before those of the API.
	Policies []Policy `json:"policies,omitempty"`
	// PolicySets are lists of policies for reuse, by name.
	PolicySets map[string][]Policy `json:"policySets,omitempty"`
	// APIs are what the gateway serves.
	APIs []RawAPI `json:"apis,omitempty"`
	// Applications are the programs that may call.
	Applications []Application `json:"applications,omitempty"`
	// CredentialFiles are further applications and credentials, for numbers that
	// do not belong into YAML: JSON lines, each {"application": {…}} or
	// {"credential": {…}} in the form of the credential feed.
	CredentialFiles []string `json:"credentialFiles,omitempty"`
}

// API is one API of the file.
type API struct {
	// Name identifies the API in records, commands and subscriptions.
	Name string `json:"name" schema:"required,minLength=1,maxLength=200,pattern=^[A-Za-z0-9][A-Za-z0-9._-]*$"`
	// Version is for records and documentation.
	Version string `json:"version,omitempty"`
	// Hosts are exact names or wildcards such as *.example.com; none = any host.
	Hosts []string `json:"hosts,omitempty"`
	// BasePath is where the API begins; the default is "/".
	BasePath string `json:"basePath,omitempty"`
	// StripPath removes the base path before the request is sent on.
	StripPath bool `json:"stripPath,omitempty"`
	// Conditions choose between APIs with the same hosts and base path.
	Conditions []unit.Condition `json:"conditions,omitempty"`
	// Paths loosens how strictly paths are taken.
	Paths unit.Paths `json:"paths,omitzero"`
	// OpenAPI is the API's document: a file, relative to this one. Its operations
	// are the only ones that exist.
	OpenAPI string `json:"openapi,omitempty"`
	// Operations lists them here instead, or adds policies and upstreams to those
	// of the document.
	Operations []Operation `json:"operations,omitempty"`
	// Upstream is where requests are sent.
	Upstream *unit.Upstream `json:"upstream,omitempty"`
	// Upstreams are several, by name; the first is the default.
	Upstreams []unit.Upstream `json:"upstreams,omitempty"`
	// Policies apply to every request of the API, in this order.
	Policies []Policy `json:"policies,omitempty"`
	// Plans are tried in this order; none = the policies say who may call.
	Plans []Plan `json:"plans,omitempty"`
}

// Operation is one method and path of an API.
type Operation struct {
	// ID defaults to the method and the path.
	ID string `json:"id,omitempty"`
	// Method is a method, or * for any.
	Method string `json:"method" schema:"required,minLength=1"`
	// Path is a template below the base path, such as /items/{id}.
	Path string `json:"path" schema:"required,minLength=1"`
	// Upstream names one of the API's upstreams.
	Upstream string `json:"upstream,omitempty"`
	// Policies apply to this operation, after those of the API and the plan.
	Policies []Policy `json:"policies,omitempty"`
}

// Plan is how an API may be consumed.
type Plan struct {
	// Name is what subscriptions refer to.
	Name string `json:"name" schema:"required,minLength=1"`
	// Security is the policy that establishes the caller; none = anyone.
	Security *Policy `json:"security,omitempty"`
	// When is a CEL expression that must hold for the plan to be chosen.
	When string `json:"when,omitempty"`
	// Policies apply to the plan's callers.
	Policies []Policy `json:"policies,omitempty"`
}

// Application is a program that calls APIs.
type Application struct {
	// Name identifies the application in the file.
	Name string `json:"name" schema:"required,minLength=1"`
	// ID identifies the application in records and to upstreams; the default is
	// the name.
	ID string `json:"id,omitempty"`
	// Groups are for the policy acl and for expressions.
	Groups []string `json:"groups,omitempty"`
	// Attributes are for expressions.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Credentials are how the application proves who it is.
	Credentials []Credential `json:"credentials,omitempty"`
	// Subscriptions are the plans that it may use.
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription is an application's right to use a plan of an API.
type Subscription struct {
	// API is the name of an API of the file.
	API string `json:"api" schema:"required"`
	// Plan is the name of one of its plans.
	Plan string `json:"plan" schema:"required"`
	// Expires is a date and time (RFC 3339).
	Expires string `json:"expires,omitempty" schema:"format=date-time"`
}

// Credential is one credential; exactly one kind of it.
type Credential struct {
	// ID names the credential in records; the default is made of the
	// application's name.
	ID string `json:"id,omitempty"`
	// APIKey is the key itself, of 8 bytes at least, best as env:NAME or
	// file:PATH.
	APIKey schema.Secret `json:"apiKey,omitzero" schema:"oneof=kind"`
	// APIKeyHash is the SHA-256 of the key as "sha256:" and hex.
	APIKeyHash string `json:"apiKeyHash,omitempty" schema:"oneof=kind,pattern=^sha256:[0-9a-f]{64}$"`
	// Basic is a user name and a password.
	Basic *Basic `json:"basic,omitempty" schema:"oneof=kind"`
	// ClientID is the client that tokens (JWT or opaque) are issued to.
	ClientID string `json:"clientId,omitempty" schema:"oneof=kind"`
	// Certificate is a client certificate.
	Certificate *Certificate `json:"certificate,omitempty" schema:"oneof=kind"`
	// HMAC is a key for signed requests.
	HMAC *HMAC `json:"hmac,omitempty" schema:"oneof=kind"`
	// Plan limits the credential to one plan.
	Plan string `json:"plan,omitempty"`
	// Expires is a date and time (RFC 3339).
	Expires string `json:"expires,omitempty" schema:"format=date-time"`
}

// Basic is a user name and a password.
type Basic struct {
	// Username is compared as it is.
	Username string `json:"username" schema:"required,minLength=1"`
	// PasswordHash is the argon2id or bcrypt hash of the password, as made by
	// `gateway hash`.
	PasswordHash string `json:"passwordHash" schema:"required,minLength=20"`
}

// Certificate names a client certificate, by fingerprint or by name.
type Certificate struct {
	// Fingerprint is the SHA-256 of the DER certificate, in hex.
	Fingerprint string `json:"fingerprint,omitempty" schema:"oneof=by,pattern=^[0-9a-f]{64}$"`
	// Name is a subject alternative name (DNS name, URI or e-mail) or the whole
	// subject.
	Name string `json:"name,omitempty" schema:"oneof=by"`
}

// HMAC is a key for signed requests.
type HMAC struct {
	// KeyID is what requests name the key by.
	KeyID string `json:"keyId" schema:"required,minLength=1"`
	// Secret has 16 bytes at least.
	Secret schema.Secret `json:"secret" schema:"required"`
}

// RawAPI is an API whose form is checked apart from the rest of the file, so
// that a mistake in one API never harms another.
type RawAPI struct{ raw json.RawMessage }

var apiSchema = sync.OnceValues(func() (*schema.Schema, error) { return schema.Of(API{}, schema.WithDocs(Docs()...)) })

// JSONSchema describes an [API].
func (RawAPI) JSONSchema() *schema.Node {
	s, err := apiSchema()
	if err != nil {
		return &schema.Node{Type: schema.Types{"object"}}
	}
	return s.Node().Clone()
}

// UnmarshalJSON keeps the document.
func (a *RawAPI) UnmarshalJSON(b []byte) error {
	a.raw = bytes.Clone(b)
	return nil
}

// MarshalJSON returns the document.
func (a RawAPI) MarshalJSON() ([]byte, error) { return a.raw, nil }

// decode reads the API strictly.
func (a RawAPI) decode() (API, []problem.Field) {
	var api API
	s, err := apiSchema()
	if err != nil {
		return api, []problem.Field{{Code: "internal", Detail: err.Error()}}
	}
	return api, s.Decode(a.raw, &api)
}

// address reads what can be read of where the API stands, for one whose form is
// wrong.
func (a RawAPI) address() Broken {
	var b Broken
	_ = json.Unmarshal(a.raw, &b) // what cannot be read is not there
	return b
}

// Broken is an API that could not be built, as far as its address is known.
type Broken struct {
	Name     string          `json:"name"`
	Hosts    []string        `json:"hosts"`
	BasePath string          `json:"basePath"`
	Problems []problem.Field `json:"-"`
}

// Policy is one policy: an object whose one key, besides name and when, is the
// policy type, with the configuration as value; or {set: NAME}.
type Policy struct{ unit.Policy }

// JSONSchema describes the form.
func (Policy) JSONSchema() *schema.Node {
	text := func(order int, doc string) *schema.Node {
		return &schema.Node{Type: schema.Types{"string"}, Order: order, Description: doc}
	}
	least, most := 1, 4
	return &schema.Node{
		Type: schema.Types{"object"},
		Properties: map[string]*schema.Node{
			"name": text(1, "Name tells several policies of a type apart, and keeps counts when the list changes."),
			"when": text(2, "When is a CEL expression; the policy is passed over where it is false."),
			"set":  text(3, "Set names a policy set to put here, instead of a policy type."),
		},
		MinProperties: &least, MaxProperties: &most,
	}
}

// UnmarshalJSON reads the form.
func (p *Policy) UnmarshalJSON(b []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return fmt.Errorf("want an object such as {rate-limit: {limit: 10, window: 1s}}: %w", err)
	}
	p.Policy = unit.Policy{}
	var types []string
	for key, value := range fields {
		var err error
		switch key {
		case "name":
			err = json.Unmarshal(value, &p.Name)
		case "when":
			err = json.Unmarshal(value, &p.When)
		case "set":
			err = json.Unmarshal(value, &p.Set)
		default:
			types = append(types, key)
			p.Type, p.Config = key, value
		}
		if err != nil {
			return fmt.Errorf("%s: want a text", key)
		}
	}
	slices.Sort(types)
	switch {
	case len(types) > 1:
		return fmt.Errorf("one policy type an entry, got %q; begin each with its own dash", types)
	case len(types) == 1 && p.Set != "":
		return fmt.Errorf("either a policy type or a set, got %q and set", types[0])
	case len(types) == 0 && p.Set == "":
		return fmt.Errorf("no policy type: want an object such as {rate-limit: {limit: 10, window: 1s}}")
	}
	if bytes.Equal(bytes.TrimSpace(p.Config), []byte("null")) {
		p.Config = json.RawMessage("{}")
	}
	return nil
}

// MarshalJSON writes the form.
func (p Policy) MarshalJSON() ([]byte, error) {
	m := map[string]any{}
	if p.Name != "" {
		m["name"] = p.Name
	}
	if p.When != "" {
		m["when"] = p.When
	}
	if p.Set != "" {
		m["set"] = p.Set
	} else {
		m[p.Type] = p.Config
	}
	return json.Marshal(m)
}
