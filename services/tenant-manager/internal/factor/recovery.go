package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// RecoveryCodes is how many recovery codes are made at once; [FewRecoveryCodes]
// or less are few.
const (
	RecoveryCodes    = 10
	FewRecoveryCodes = 3
)

// letters are those of Crockford's base 32: none is taken for another.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

const (
	recoveryLength = 16 // characters: 80 bits, so that a fast hash does
	group          = 4
)

// NewRecoveryCodes returns [RecoveryCodes] codes such as "k3qf-8w2n-7tzd-m0xa".
func NewRecoveryCodes() []string {
	out := make([]string, RecoveryCodes)
	for i := range out {
		raw := make([]byte, recoveryLength)
		_, _ = rand.Read(raw) // never fails
		var b strings.Builder
		for n, c := range raw {
			if n > 0 && n%group == 0 {
				b.WriteByte('-')
			}
			b.WriteByte(letters[c%32]) // 256 is a multiple of 32: none is favoured
		}
		out[i] = b.String()
	}
	return out
}

// RecoveryHash returns what is kept of a recovery code of a user. How the code is
// spelled does not matter: case, spaces and hyphens, and o for 0, l and i for 1.
func RecoveryHash(user, code string) string {
	folded := strings.NewReplacer("-", "", " ", "", "o", "0", "l", "1", "i", "1").Replace(strings.ToLower(code))
	sum := sha256.Sum256([]byte("recovery code of " + user + ": " + folded))
	return hex.EncodeToString(sum[:])
}
