// Package secret keeps what must not be read by others: values encrypted in the
// database, credentials kept as hashes, and values in memory that no log line,
// JSON document or error shows. It knows gorm, but no table.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
)

// KeySize is the length of a key in bytes (AES-256).
const KeySize = 32

const (
	prefix = "gh1" // the form of a ciphertext: gh1.<key id>.<nonce and sealed text>
	hidden = "[redacted]"
)

var keyID = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// ErrSealed is a value that cannot be decrypted: it was changed, moved to
// another row, or sealed with a key that is not in the ring.
var ErrSealed = errors.New("the encrypted value cannot be read")

// MissingKeyError is an [ErrSealed] of a value whose key is not in the ring.
type MissingKeyError struct {
	// ID is the key's.
	ID string
}

func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("%s: there is no key %q in the keyring: put it back below the first, and take it out when nothing is encrypted with it any longer", ErrSealed, e.ID)
}

// Unwrap returns [ErrSealed].
func (e *MissingKeyError) Unwrap() error { return ErrSealed }

// Keyring is the keys of a service, newest first. It is safe for concurrent
// use, and never printed.
type Keyring struct {
	newest string
	order  []string // ids, the newest first
	keys   map[string]cipher.AEAD
}

// ParseKeyring reads keys, one a line or parted by commas, each as
// id:64 hexadecimal digits or id:base64 of 32 bytes. The first encrypts; the
// others are there to decrypt what is older. Keys that nobody drew at random are
// refused. Its errors do not hold the keys.
func ParseKeyring(text string) (*Keyring, error) {
	r := &Keyring{keys: map[string]cipher.AEAD{}}
	for i, item := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == ',' }) {
		item = strings.TrimSpace(item)
		if item == "" || strings.HasPrefix(item, "#") {
			continue
		}
		id, value, ok := strings.Cut(item, ":")
		if !ok || !keyID.MatchString(id) {
			return nil, fmt.Errorf("key %d: want id:key, where the id has 1 to 32 of a-z, 0-9 and -", i+1)
		}
		key, err := parseKey(value)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", id, err)
		}
		if r.keys[id] != nil {
			return nil, fmt.Errorf("key %q: the id is there twice", id)
		}
		if r.keys[id], err = newAEAD(key); err != nil {
			return nil, fmt.Errorf("key %q: %w", id, err)
		}
		r.order = append(r.order, id)
		if r.newest == "" {
			r.newest = id
		}
	}
	if r.newest == "" {
		return nil, errors.New("no encryption key: make one with: openssl rand -hex 32")
	}
	return r, nil
}

// LoadKeyring reads keys from a file, see [ParseKeyring]. Nobody but its owner
// and group may read it.
func LoadKeyring(path string) (*Keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("loading keys: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("loading keys: everybody may read %s: chmod o-rwx it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("loading keys: %w", err)
	}
	r, err := ParseKeyring(string(b))
	if err != nil {
		return nil, fmt.Errorf("loading keys: %s: %w", path, err)
	}
	return r, nil
}

func parseKey(s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	key, err := hex.DecodeString(s)
	if err != nil {
		key, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("want %d bytes as hexadecimal digits or base64", KeySize)
	}
	if guessable(key) {
		return nil, errors.New("it is not random: it repeats itself or counts, as keys of examples do; make one with: openssl rand -hex 32")
	}
	return key, nil
}

// fewBytes is how many different bytes a key has at least. Of 2^80 random keys of 32
// bytes not one has fewer.
const fewBytes = 12

// guessable reports whether a key is one that nobody drew at random: all the same
// byte, a short text over and over, or bytes that count up or down.
func guessable(key []byte) bool {
	different := map[byte]bool{}
	steps := map[byte]bool{}
	for i, b := range key {
		different[b] = true
		if i > 0 {
			steps[b-key[i-1]] = true
		}
	}
	return len(different) < fewBytes || len(steps) < 3
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Place is where a ciphertext belongs; at any other it cannot be read.
type Place struct {
	Table, Column, Row string
}

func (p Place) data(id string) []byte {
	// The lengths keep two places from running into each other.
	return fmt.Appendf(nil, "%s %d:%s %d:%s %d:%s %d:%s", prefix, len(id), id, len(p.Table), p.Table, len(p.Column), p.Column, len(p.Row), p.Row)
}

// Seal encrypts with the newest key (AES-256-GCM, random nonce). A key should
// not seal more than 2^32 values (NIST SP 800-38D section 8.3).
func (r *Keyring) Seal(plain []byte, at Place) string {
	sealed := r.keys[r.newest].Seal(nil, nil, plain, at.data(r.newest)) //nolint:gosec // the cipher makes the nonce: NewGCMWithRandomNonce
	return prefix + "." + r.newest + "." + base64.RawURLEncoding.EncodeToString(sealed)
}

// Open decrypts. The error is [ErrSealed] where it cannot.
func (r *Keyring) Open(sealed string, at Place) ([]byte, error) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 3 || parts[0] != prefix {
		return nil, fmt.Errorf("%w: it has not the form of one", ErrSealed)
	}
	key := r.keys[parts[1]]
	if key == nil {
		if !keyID.MatchString(parts[1]) {
			return nil, fmt.Errorf("%w: it is damaged", ErrSealed)
		}
		return nil, &MissingKeyError{parts[1]}
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return nil, fmt.Errorf("%w: it is damaged", ErrSealed)
	}
	plain, err := key.Open(nil, nil, b, at.data(parts[1]))
	if err != nil {
		return nil, fmt.Errorf("%w: it was changed, or belongs to another row", ErrSealed)
	}
	return plain, nil
}

// Current says whether a ciphertext was made with the newest key.
func (r *Keyring) Current(sealed string) bool {
	return strings.HasPrefix(sealed, prefix+"."+r.newest+".")
}

// Format hides the keys from every verb of package fmt.
func (r *Keyring) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the keys.
func (r *Keyring) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the keys.
func (r *Keyring) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// Hasher hashes credentials that are random themselves, such as API keys and
// tokens; a password needs a slow hash.
type Hasher struct{ pepper []byte }

// NewHasher returns a hasher with a pepper of at least 32 bytes, which is kept
// apart from the database.
func NewHasher(pepper []byte) (*Hasher, error) {
	if len(pepper) < KeySize {
		return nil, fmt.Errorf("the pepper has %d bytes: want at least %d; make one with: openssl rand -hex 32", len(pepper), KeySize)
	}
	return &Hasher{pepper: append([]byte(nil), pepper...)}, nil
}

// Hash returns the HMAC-SHA-256 of a credential as 64 hexadecimal digits, under
// which it is stored and found.
func (h *Hasher) Hash(credential string) string {
	m := hmac.New(sha256.New, h.pepper)
	_, _ = m.Write([]byte(credential)) // never fails
	return hex.EncodeToString(m.Sum(nil))
}

// Match says whether a credential has the hash, in the same time whatever it is.
func (h *Hasher) Match(credential, hash string) bool { return Equal(h.Hash(credential), hash) }

// Format hides the pepper from every verb of package fmt.
func (h *Hasher) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalJSON hides the pepper.
func (h *Hasher) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue hides the pepper.
func (h *Hasher) LogValue() slog.Value { return slog.StringValue(hidden) }

// Equal compares two texts in a time that depends on their lengths alone.
func Equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// NewKey returns a random key in the form that [ParseKeyring] reads.
func NewKey(id string) string {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	return id + ":" + hex.EncodeToString(key)
}
