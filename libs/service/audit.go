package service

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Entry is what a service says of a change for the audit trail; [Kit.Audit] adds
// who did it, when and from where.
type Entry struct {
	// Action is what was done, as kind and verb: "api.updated".
	Action string
	// Target is what it was done to.
	Target audit.Target
	// Before and After are the target's representation, as structs or pointers to
	// them; nil where it was, or is, not there. The fields that differ are
	// recorded. Secrets are masked: values of schema.Secret, secret.Text and their
	// like, and fields tagged audit:"secret".
	Before, After any
	// Refused says that it was not done.
	Refused bool
	// Organization is whose trail it goes into; "" is the caller's.
	Organization string
	// Via is by what it was done, one of audit's constants; "" is that of the request.
	Via string
	// Actor is who did it; the zero value is the caller, or the service itself
	// where nobody calls.
	Actor audit.Actor
}

// via returns by what something is done.
func via(ctx context.Context, called bool) string {
	switch {
	case httpx.FromConsole(ctx):
		return audit.ViaConsole
	case httpx.RequestID(ctx) != "":
		return audit.ViaAPI
	case called:
		return audit.ViaService
	}
	return audit.ViaSystem
}

// Audit records a change in the transaction of the change.
func (k *Kit) Audit(ctx context.Context, tx *db.Tx, e Entry) error {
	r := audit.Recorded{
		ID: uuid.Must(uuid.NewV7()).String(), Organization: e.Organization, Service: k.Name, Action: e.Action, Outcome: "done",
		Actor: e.Actor, Target: e.Target, RequestID: httpx.RequestID(ctx), IP: httpx.Address(ctx), Time: k.Now().UTC(),
	}
	if e.Refused {
		r.Outcome = "refused"
	}
	p, called := authn.From(ctx)
	r.Via = cmp.Or(e.Via, via(ctx, called))
	if r.Organization == "" {
		r.Organization = p.Organization
	}
	if r.Actor == (audit.Actor{}) {
		switch {
		case called:
			r.Actor = audit.Actor{Kind: string(p.Kind), ID: p.Subject, Name: p.Name}
			if p.Token != "" {
				r.Actor.Token, r.Actor.TokenName = p.Session, p.Token
			}
			r.Actor.Impersonator, r.Actor.ImpersonatorName = p.ImpersonatorID, p.ImpersonatorName
		case r.RequestID != "":
			r.Actor = audit.Actor{Kind: "anonymous"}
		default:
			r.Actor = audit.Actor{Kind: "service", ID: k.Name, Name: k.Name}
		}
	}
	if r.Organization == "" || r.Action == "" || r.Target.Kind == "" {
		return errors.New("recording for the audit trail: it needs an organization, an action and a target")
	}
	var err error
	if r.Changes, err = differences(e.Before, e.After); err != nil {
		return fmt.Errorf("recording %s for the audit trail: %w", e.Action, err)
	}
	return Emit(tx, "audit:"+r.Target.Kind+":"+r.Target.ID, r)
}

const (
	mask = "***"
	// longestValue bounds a recorded value, mostChanges their number and largestDiff
	// all of them in bytes as they are sent: the trail tells what was changed, it does
	// not keep documents, and receivers of it take no entries of any size.
	longestValue = 2 << 10
	mostChanges  = 200
	largestDiff  = 64 << 10
	deepestValue = 12
)

// leaf is one value of a representation.
type leaf struct {
	json   string
	secret bool
}

func (l leaf) shown() string {
	switch {
	case l.json == "":
		return ""
	case l.secret:
		return strconv.Quote(mask)
	case len(l.json) > longestValue:
		cut := longestValue
		for !utf8.RuneStart(l.json[cut]) {
			cut--
		}
		return l.json[:cut] + fmt.Sprintf("… (%d bytes)", len(l.json))
	}
	return l.json
}

// differences lists the fields that are not the same.
func differences(before, after any) ([]audit.Change, error) {
	b, err := leaves(before)
	if err != nil {
		return nil, err
	}
	a, err := leaves(after)
	if err != nil {
		return nil, err
	}
	fields := map[string]bool{}
	for f := range b {
		fields[f] = true
	}
	for f := range a {
		fields[f] = true
	}
	var (
		out   []audit.Change
		more  int
		bytes int
	)
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		if b[f].json == a[f].json {
			continue
		}
		c := audit.Change{Field: f, Before: b[f].shown(), After: a[f].shown()}
		encoded, err := json.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if bytes += len(encoded); len(out) == mostChanges || bytes > largestDiff {
			bytes -= len(encoded) // a shorter one may have room
			more++
			continue
		}
		out = append(out, c)
	}
	if more > 0 { // the field is that of the whole
		out = append(out, audit.Change{After: fmt.Sprintf("%q", fmt.Sprintf("%d more fields changed; they are not listed", more))})
	}
	return out, nil
}

func leaves(v any) (map[string]leaf, error) {
	out := map[string]leaf{}
	if v == nil {
		return out, nil
	}
	return out, collect(reflect.ValueOf(v), "", false, 0, out)
}

// secretType says whether a value is one of a type made for secrets.
func secretType(v reflect.Value) bool {
	switch v.Interface().(type) {
	case interface{ IsSecret() }, interface{ Reveal() string }:
		return true
	}
	return false
}

// collect puts the leaves below a value into out. Secrets are compared by what
// they are, and never shown.
func collect(v reflect.Value, at string, hidden bool, depth int, out map[string]leaf) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if secretType(v) {
		if !v.IsZero() {
			out[at] = leaf{json: revealed(v), secret: true}
		}
		return nil
	}
	_, text := v.Interface().(json.Marshaler)
	if !text && depth < deepestValue {
		switch v.Kind() {
		case reflect.Struct:
			if v.NumField() > 0 && plain(v) {
				return collectStruct(v, at, hidden, depth, out)
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				if err := collect(it.Value(), at+"/"+schema.Escape(fmt.Sprint(it.Key().Interface())), hidden, depth+1, out); err != nil {
					return err
				}
			}
			return nil
		case reflect.Slice:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				break
			}
			for i := range v.Len() {
				if err := collect(v.Index(i), at+"/"+strconv.Itoa(i), hidden, depth+1, out); err != nil {
					return err
				}
			}
			return nil
		}
	}
	b, err := json.Marshal(v.Interface())
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if !v.IsZero() || v.Kind() == reflect.Bool || v.CanInt() || v.CanUint() || v.CanFloat() {
		out[at] = leaf{json: string(b), secret: hidden}
	}
	return nil
}

// plain says whether a struct is its fields, and not a value with a text of its
// own such as a time.
func plain(v reflect.Value) bool {
	_, text := v.Interface().(interface{ MarshalText() ([]byte, error) })
	return !text
}

func collectStruct(v reflect.Value, at string, hidden bool, depth int, out map[string]leaf) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Struct && name == "" {
			// Its fields are those of the struct, as encoding/json has it.
			if err := collectStruct(v.Field(i), at, hidden || f.Tag.Get("audit") == "secret", depth+1, out); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		below := at
		switch {
		case name != "":
			below += "/" + schema.Escape(name)
		case !f.Anonymous:
			below += "/" + strings.ToLower(f.Name[:1]) + f.Name[1:]
		}
		if err := collect(v.Field(i), below, hidden || f.Tag.Get("audit") == "secret", depth+1, out); err != nil {
			return err
		}
	}
	return nil
}

// revealed is what a secret is, to compare; it goes nowhere else.
func revealed(v reflect.Value) string {
	if s, ok := v.Interface().(interface{ Reveal() string }); ok {
		return "x" + s.Reveal()
	}
	return fmt.Sprintf("x%#v", v.Interface())
}
