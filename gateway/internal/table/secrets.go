package table

import (
	"slices"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// secret is a reference that policies were compiled with, and the name of the
// value that it had.
type secret struct{ reference, print string }

// sameSecrets reports whether all still have the values that they had.
func (c *Compiler) sameSecrets(list []secret) bool {
	for _, s := range list {
		if c.SecretPrint(s.reference) != s.print {
			return false
		}
	}
	return true
}

// gone reports whether one of them is there no longer, or may not be read any
// longer. Where it only cannot be read now, its last value is still known.
func (c *Compiler) gone(list []secret) bool {
	for _, s := range list {
		if c.SecretPrint(s.reference) == "" {
			return true
		}
	}
	return false
}

// Secrets returns the references that the table was compiled with, or could not be
// for lack of them, some of them perhaps more than once.
func (t *Table) Secrets() []string {
	out := slices.Clone(t.missed)
	add := func(list []secret) {
		for _, s := range list {
			out = append(out, s.reference)
		}
	}
	if t.platform != nil {
		add(t.platform.secrets)
	}
	for _, u := range t.units {
		add(u.secrets)
	}
	return out
}

// look returns what resolves references, and notes which were.
func (b *builder) look() schema.Resolver {
	resolve, print, u := b.Secrets, b.SecretPrint, b.unit
	if resolve == nil || print == nil {
		return resolve
	}
	t := b.table
	return func(scheme, name string) (string, error) {
		v, err := resolve(scheme, name)
		ref := scheme + ":" + name
		if err != nil {
			t.missed = append(t.missed, ref)
			return v, err
		}
		u.secrets = append(u.secrets, secret{ref, print(ref)})
		return v, nil
	}
}
