package file

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Built is what a file says, in the form that gateways serve.
type Built struct {
	// Units are the documents by hash, Refs what they are.
	Refs  []unit.Ref
	Units map[unit.Hash][]byte
	// Pointers say where in the file each unit stands, by name.
	Pointers map[string]string
	// Credentials is the whole credential feed.
	Credentials credential.Feed
	single      map[string]bool // APIs with one upstream, not in a list
	// Broken are the APIs that could not be built.
	Broken []Broken
	// Files are the documents that were read.
	Files []string
	// Problems are all that is wrong, those of the broken APIs included.
	Problems []problem.Field
}

// Memo keeps what was built of each API, so that after a change only those are
// built again whose text has changed. It is for one goroutine.
type Memo struct {
	header string
	apis   map[unit.Hash]built // by the text of the API
}

// built is what came of one API without a mistake.
type built struct {
	name   string
	single bool
	doc    []byte
	ref    unit.Ref
	plans  map[string]bool
}

// builder collects.
type builder struct {
	memo  *Memo
	next  map[unit.Hash]built
	dir   string
	cfg   *Config
	out   *Built
	plans map[string]map[string]bool // API → its plans
}

// Build turns a configuration into units and credentials. Paths in it are
// relative to dir. It is pure but for reading the documents that the file names.
func Build(cfg *Config, dir string, memo *Memo) Built {
	header := fmt.Sprintf("%q %q %q %q", cfg.Organization, cfg.Project, cfg.Environment, sortedKeys(cfg.PolicySets))
	if memo.header != header {
		memo.header, memo.apis = header, nil
	}
	b := builder{
		memo: memo, next: make(map[unit.Hash]built, len(cfg.APIs)), dir: dir, cfg: cfg, plans: map[string]map[string]bool{},
		out: &Built{Units: map[unit.Hash][]byte{}, Pointers: map[string]string{}, single: map[string]bool{}},
	}
	b.settings()
	for _, name := range sortedKeys(cfg.PolicySets) {
		set := unit.PolicySet{Name: name, Policies: policies(cfg.PolicySets[name])}
		b.add(unit.KindPolicySet, name, "/policySets/"+schema.Escape(name), set)
	}
	names := map[string]int{}
	for i, raw := range cfg.APIs {
		at := "/apis/" + strconv.Itoa(i)
		text := unit.HashOf(raw.raw)
		if name, ok := b.same(text, at); ok {
			names[name] = i
			continue
		}
		a, fields := raw.decode()
		if len(fields) > 0 {
			a.Name = raw.address().Name
		}
		if first, dup := names[a.Name]; dup && a.Name != "" {
			b.problem(at+"/name", "duplicate", "the API %q stands already at /apis/%d; give it another name", a.Name, first)
			continue
		}
		names[a.Name] = i
		before := len(b.out.Problems)
		for _, f := range fields {
			f.Pointer = at + f.Pointer
			b.out.Problems = append(b.out.Problems, f)
		}
		if len(fields) == 0 {
			b.api(&a, at)
		}
		b.remember(text, &a, before)
		if wrong := b.out.Problems[before:]; len(wrong) > 0 {
			broken := raw.address()
			broken.Problems = slices.Clone(wrong)
			b.out.Broken = append(b.out.Broken, broken)
		}
	}
	memo.apis = b.next
	b.applications()
	slices.SortFunc(b.out.Refs, func(a, c unit.Ref) int {
		return cmp.Or(cmp.Compare(a.Kind, c.Kind), cmp.Compare(a.Name, c.Name))
	})
	return *b.out
}

// same takes an API over whose text has not changed. Those with a document of
// their own are built anew: the document may have changed.
func (b *builder) same(text unit.Hash, at string) (name string, ok bool) {
	old, ok := b.memo.apis[text]
	if _, twice := b.next[text]; !ok || twice {
		return "", false
	}
	b.next[text] = old
	b.plans[old.name] = old.plans
	if old.single {
		b.out.single[old.name] = true
	}
	b.out.Units[old.ref.Hash] = old.doc
	b.out.Refs = append(b.out.Refs, old.ref)
	b.out.Pointers[string(unit.KindAPI)+"/"+old.name] = at
	return old.name, true
}

func (b *builder) remember(text unit.Hash, a *API, problems int) {
	if len(b.out.Problems) > problems || a.OpenAPI != "" || len(b.out.Refs) == 0 {
		return
	}
	ref := b.out.Refs[len(b.out.Refs)-1]
	b.next[text] = built{name: a.Name, single: a.Upstream != nil, doc: b.out.Units[ref.Hash], ref: ref, plans: b.plans[a.Name]}
}

func (b *builder) problem(pointer, code, format string, args ...any) {
	b.out.Problems = append(b.out.Problems, problem.Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (b *builder) add(kind unit.Kind, name, pointer string, u any) {
	doc, hash, err := unit.Encode(u)
	if err != nil {
		b.problem(pointer, "invalid", "%v", err)
		return
	}
	b.out.Units[hash] = doc
	b.out.Refs = append(b.out.Refs, unit.Ref{Kind: kind, Name: name, Hash: hash})
	b.out.Pointers[string(kind)+"/"+name] = pointer
}

func (b *builder) settings() {
	if len(b.cfg.Policies) > 0 {
		b.add(unit.KindSettings, "settings", "", unit.Settings{Platform: policies(b.cfg.Policies)})
	}
}

func policies(in []Policy) []unit.Policy {
	out := make([]unit.Policy, len(in))
	for i, p := range in {
		out[i] = p.Policy
	}
	return out
}

func (b *builder) checkSets(at string, list []Policy) {
	for i, p := range list {
		if _, ok := b.cfg.PolicySets[p.Set]; p.Set != "" && !ok {
			b.problem(at+"/"+strconv.Itoa(i)+"/set", "reference", "there is no policy set %q; add it under policySets", p.Set)
		}
	}
}

func (b *builder) api(a *API, at string) {
	before := len(b.out.Problems)
	u := unit.API{
		ID: a.Name, Name: a.Name, Version: a.Version,
		Organization: b.cfg.Organization, Project: cmp.Or(b.cfg.Project, "default"), Environment: b.cfg.Environment,
		Hosts: a.Hosts, BasePath: cmp.Or(a.BasePath, "/"), StripPath: a.StripPath,
		Conditions: a.Conditions, Paths: a.Paths,
		Policies: policies(a.Policies), Upstreams: a.Upstreams,
	}
	b.checkSets(at+"/policies", a.Policies)
	if a.Upstream != nil {
		if len(a.Upstreams) > 0 {
			b.problem(at+"/upstream", "oneOf", "either upstream or upstreams; put this one into the list")
		}
		u.Upstreams = []unit.Upstream{*a.Upstream}
		b.out.single[a.Name] = true
	}
	upstreams := map[string]bool{}
	for i := range u.Upstreams {
		name := &u.Upstreams[i].Name
		if *name == "" {
			*name = "default"
			if i > 0 {
				b.problem(at+"/upstreams/"+strconv.Itoa(i)+"/name", "required", "give each upstream but the first a name")
			}
		}
		if upstreams[*name] {
			b.problem(at+"/upstreams/"+strconv.Itoa(i)+"/name", "duplicate", "the upstream %q stands twice", *name)
		}
		upstreams[*name] = true
	}
	b.document(&u, a, at)
	b.operations(&u, a, at, upstreams)
	b.planList(&u, a, at)
	if len(b.out.Problems) == before {
		b.add(unit.KindAPI, u.ID, at, u)
	}
}

func (b *builder) document(u *unit.API, a *API, at string) {
	if a.OpenAPI == "" {
		return
	}
	path := a.OpenAPI
	if !filepath.IsAbs(path) {
		path = filepath.Join(b.dir, path)
	}
	b.out.Files = append(b.out.Files, path)
	data, err := os.ReadFile(path)
	if err != nil {
		b.problem(at+"/openapi", "reference", "%v", err)
		return
	}
	doc, err := readDocument(data)
	if err != nil {
		b.problem(at+"/openapi", "invalid", "%s: %v", a.OpenAPI, err)
		return
	}
	u.Document, u.Operations = doc.json, doc.operations
}

// operations adds those of the file to those of the document: one that the
// document has gets policies and upstream, any other is new.
func (b *builder) operations(u *unit.API, a *API, at string, upstreams map[string]bool) {
	for i, o := range a.Operations {
		where := at + "/operations/" + strconv.Itoa(i)
		op := unit.Operation{
			ID: o.ID, Method: strings.ToUpper(o.Method), Path: o.Path,
			Upstream: o.Upstream, Policies: policies(o.Policies),
		}
		b.checkSets(where+"/policies", o.Policies)
		if o.Upstream != "" && !upstreams[o.Upstream] {
			b.problem(where+"/upstream", "reference", "the API has no upstream %q", o.Upstream)
		}
		known := slices.IndexFunc(u.Operations, func(k unit.Operation) bool { return k.Method == op.Method && k.Path == op.Path })
		if known < 0 {
			op.ID = cmp.Or(op.ID, op.Method+" "+op.Path)
			u.Operations = append(u.Operations, op)
			continue
		}
		op.ID = cmp.Or(op.ID, u.Operations[known].ID)
		u.Operations[known] = op
	}
}

func (b *builder) planList(u *unit.API, a *API, at string) {
	b.plans[a.Name] = map[string]bool{}
	for i, p := range a.Plans {
		where := at + "/plans/" + strconv.Itoa(i)
		if b.plans[a.Name][p.Name] {
			b.problem(where+"/name", "duplicate", "the plan %q stands twice", p.Name)
		}
		b.plans[a.Name][p.Name] = true
		b.checkSets(where+"/policies", p.Policies)
		plan := unit.Plan{ID: p.Name, Name: p.Name, When: p.When, Policies: policies(p.Policies)}
		if p.Security != nil {
			if p.Security.Set != "" {
				b.problem(where+"/security", "invalid", "want one policy that establishes the caller, not a set")
			}
			plan.Security = &p.Security.Policy
		}
		u.Plans = append(u.Plans, plan)
	}
}

func (b *builder) applications() {
	b.out.Credentials.Full = true
	seen, digests := map[string]bool{}, map[string]string{}
	for i := range b.cfg.Applications {
		a := &b.cfg.Applications[i]
		at := "/applications/" + strconv.Itoa(i)
		app := credential.Application{
			ID: cmp.Or(a.ID, a.Name), Name: a.Name, Organization: b.cfg.Organization,
			Groups: a.Groups, Attributes: a.Attributes,
		}
		if seen[app.ID] {
			b.problem(at+"/name", "duplicate", "the application %q stands twice", app.ID)
			continue
		}
		seen[app.ID] = true
		for j, s := range a.Subscriptions {
			where := at + "/subscriptions/" + strconv.Itoa(j)
			if plans, ok := b.plans[s.API]; !ok {
				b.problem(where+"/api", "reference", "there is no API %q", s.API)
			} else if !plans[s.Plan] {
				b.problem(where+"/plan", "reference", "the API %q has no plan %q", s.API, s.Plan)
			}
			app.Subscriptions = append(app.Subscriptions, credential.Subscription{
				ID: app.ID + "/" + s.API + "/" + s.Plan, API: s.API, Plan: s.Plan, Active: true, ExpiresAt: expiry(s.Expires),
			})
		}
		b.out.Credentials.Applications = append(b.out.Credentials.Applications, app)
		for j := range a.Credentials {
			where := at + "/credentials/" + strconv.Itoa(j)
			b.strong(where, &a.Credentials[j])
			for _, c := range credentials(&a.Credentials[j], app.ID, j) {
				key := string(c.Kind) + c.Digest
				if other, dup := digests[key]; dup {
					b.problem(where, "duplicate", "the same credential stands at %s; a credential belongs to one application", other)
					continue
				}
				digests[key] = where
				b.out.Credentials.Credentials = append(b.out.Credentials.Credentials, c)
			}
		}
	}
}

// strong refuses secrets that could be guessed.
func (b *builder) strong(at string, c *Credential) {
	if k := c.APIKey.Reveal(); c.APIKey.IsSet() && len(k) < 8 {
		b.problem(at+"/apiKey", "minLength", "an API key has at least 8 characters")
	}
	if c.HMAC != nil && len(c.HMAC.Secret.Reveal()) < 16 {
		b.problem(at+"/hmac/secret", "minLength", "the secret of an HMAC key has at least 16 characters")
	}
}

// expiry reads a time that the schema has found to be one.
func expiry(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

// credentials returns the entries of the feed for one credential. A client id
// is good for both kinds of token.
func credentials(c *Credential, app string, i int) []credential.Credential {
	out := credential.Credential{
		ID: cmp.Or(c.ID, app+"/"+strconv.Itoa(i)), Application: app, Plan: c.Plan, ExpiresAt: expiry(c.Expires),
	}
	one := func(kind credential.Kind, digest string) []credential.Credential {
		out.Kind, out.Digest = kind, digest
		return []credential.Credential{out}
	}
	of := func(identifier string) string { return string(unit.HashOf([]byte(identifier))) }
	switch {
	case c.APIKeyHash != "":
		return one(credential.APIKey, strings.TrimPrefix(c.APIKeyHash, "sha256:"))
	case c.Basic != nil:
		out.Verifier = c.Basic.PasswordHash
		return one(credential.Basic, of(c.Basic.Username))
	case c.HMAC != nil:
		out.Verifier = c.HMAC.Secret.Reveal()
		return one(credential.HMAC, of(c.HMAC.KeyID))
	case c.Certificate != nil && c.Certificate.Fingerprint != "":
		// The digest of the DER certificate is its fingerprint.
		if _, err := hex.DecodeString(c.Certificate.Fingerprint); err == nil {
			return one(credential.Certificate, c.Certificate.Fingerprint)
		}
		return nil
	case c.Certificate != nil:
		return one(credential.Certificate, of(c.Certificate.Name))
	case c.ClientID != "":
		opaque := out
		opaque.Kind, opaque.Digest = credential.OAuth2, of(c.ClientID)
		return append(one(credential.JWT, of(c.ClientID)), opaque)
	}
	return one(credential.APIKey, of(c.APIKey.Reveal()))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
