package table

import "github.com/gatehouse/gatehouse/libs/schema"

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

// look returns what resolves references, and notes which were.
func (b *builder) look() schema.Resolver {
	resolve, print, u := b.Secrets, b.SecretPrint, b.unit
	if resolve == nil || print == nil {
		return resolve
	}
	return func(scheme, name string) (string, error) {
		v, err := resolve(scheme, name)
		if err == nil {
			ref := scheme + ":" + name
			u.secrets = append(u.secrets, secret{ref, print(ref)})
		}
		return v, err
	}
}
