package schema

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// masked is all that a Secret shows of itself.
const masked = "***"

// Secret is a value that must not be shown: fmt, slog and JSON print ***. In a
// configuration it is the value itself or a reference, "env:NAME", "file:/path"
// or "vault:mount/path#field". A reference stays one until it is resolved explicitly, because
// whoever wrote it may not be allowed to read what it names.
type Secret struct{ value, ref string }

// NewSecret returns a secret with the value itself.
func NewSecret(value string) Secret { return Secret{value: value} }

// IsSet says whether there is a value or a reference.
func (s Secret) IsSet() bool { return s != Secret{} }

// Reveal returns the value, which is "" as long as the secret is a reference.
func (s Secret) Reveal() string { return s.value }

// Reference returns the reference, such as "env:NAME", where the secret is one that
// has not been resolved, else "".
func (s Secret) Reference() string { return s.ref }

// String returns ***, or "" when nothing is set.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return masked
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a value or a reference. It refuses *** itself, which is
// a document that was shown and then handed back.
func (s *Secret) UnmarshalText(text []byte) error {
	v := string(text)
	switch {
	case v == masked:
		return errors.New("this is the mask of a secret, not a secret")
	case v == "env:", v == "file:", v == "vault:":
		return errors.New(`the reference names nothing; write "env:NAME", "file:/path" or "vault:mount/path#field"`)
	case isReference(v):
		*s = Secret{ref: v}
	default:
		*s = Secret{value: v}
	}
	return nil
}

// referencePattern is isReference as a pattern.
const referencePattern = "^(env|file|vault):"

func isReference(s string) bool {
	return strings.HasPrefix(s, "env:") || strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "vault:")
}

// IsSecret marks the type.
func (Secret) IsSecret() {}

// JSONSchema describes the text form.
func (Secret) JSONSchema() *Node {
	return &Node{
		Type: Types{"string"}, Format: "password", WriteOnly: true,
		Not: &Node{Enum: []string{masked, "env:", "file:", "vault:"}},
	}
}

// Resolver looks up what a reference names: scheme is "env", "file" or "vault".
// Package reference has one of all three.
type Resolver func(scheme, name string) (string, error)

// maxSecretFile bounds the size of a file that holds a secret.
const maxSecretFile = 64 << 10

// SystemResolver reads environment variables and files of the process. Hand it
// in only for configurations of the process's own operator. It knows no Vault.
func SystemResolver() Resolver {
	return func(scheme, name string) (string, error) {
		if scheme == "env" {
			v, ok := os.LookupEnv(name)
			if !ok || v == "" {
				return "", fmt.Errorf("environment variable %s is not set", name)
			}
			return v, nil
		}
		if scheme != "file" {
			return "", fmt.Errorf("%s:%s: no Vault is configured", scheme, name)
		}
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // it was only read
		b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
		if err != nil {
			return "", err
		}
		v := strings.TrimRight(string(b), "\r\n")
		switch {
		case len(b) > maxSecretFile:
			return "", fmt.Errorf("file %s is larger than 64 KiB", name)
		case v == "":
			return "", fmt.Errorf("file %s is empty", name)
		}
		return v, nil
	}
}

// Resolve replaces a reference by what it names. Other secrets stay as they are.
func (s *Secret) Resolve(look Resolver) error {
	ref := s.Reference()
	if ref == "" {
		return nil
	}
	scheme, name, _ := strings.Cut(ref, ":")
	v, err := look(scheme, name)
	if err != nil {
		return fmt.Errorf("resolving a secret: %w", err)
	}
	*s = Secret{value: v}
	return nil
}

// ResolveSecrets resolves every [Secret] below a pointer to a configuration. It
// returns those that could not be, and those whose value breaks the bounds of
// their tag.
func ResolveSecrets(config any, look Resolver) []problem.Field {
	v := reflect.ValueOf(config)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return []problem.Field{{Code: RuleType, Detail: fmt.Sprintf("cannot resolve secrets of %T: it must be a pointer", config)}}
	}
	p, err := planOf(v.Type().Elem())
	if err != nil {
		return []problem.Field{{Code: RuleType, Detail: err.Error()}}
	}
	var fields []problem.Field
	resolve(p, v.Elem(), "", look, &fields)
	return fields
}

func resolve(p *plan, v reflect.Value, at string, look Resolver, out *[]problem.Field) {
	switch p.kind {
	case pointerKind:
		if !v.IsNil() {
			resolve(p.elem, v.Elem(), at, look, out)
		}
	case objectKind:
		for _, f := range p.fields {
			resolve(f.plan, v.FieldByIndex(f.index), at+"/"+Escape(f.name), look, out)
		}
	case listKind:
		for i := range v.Len() {
			resolve(p.elem, v.Index(i), fmt.Sprintf("%s/%d", at, i), look, out)
		}
	case mapKind:
		for it := v.MapRange(); it.Next(); {
			e := reflect.New(p.elem.typ).Elem() // map values cannot be set in place
			e.Set(it.Value())
			resolve(p.elem, e, at+"/"+Escape(it.Key().String()), look, out)
			v.SetMapIndex(it.Key(), e)
		}
	case textKind:
		s, ok := v.Addr().Interface().(*Secret)
		if !ok || s.Reference() == "" {
			return
		}
		ref := s.Reference()
		if err := s.Resolve(look); err != nil {
			*out = append(*out, problem.Field{Pointer: at, Code: RuleInvalid, Detail: err.Error()})
			return
		}
		var d decoder
		d.checkText(p, []byte(s.Reveal()))
		for _, f := range d.fields {
			f.Pointer, f.Detail = at, "what "+ref+" names "+f.Detail
			*out = append(*out, f)
		}
	}
}
