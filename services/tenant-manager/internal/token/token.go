// Package token is the secrets that stand for somebody: refresh tokens of
// sessions, tokens of service accounts and of people, and the one-time secrets of links. It
// makes, recognises and hashes them; it knows not where they are kept.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/secret"
)

// OneTime returns a secret of 32 random bytes in base64url, for a link that can
// be used once.
func OneTime() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Hash returns the SHA-256 of a secret in hexadecimal digits, under which it is
// stored and found. All secrets here are random and long, so that a fast hash
// does.
func Hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// What tokens begin with, so that scanners for leaked secrets find them. All
// prefixes have the same length.
const (
	// ServicePrefix begins every token of a service account.
	ServicePrefix = "ght_"
	// PersonalPrefix begins every token of a person.
	PersonalPrefix = "ghp_"
	// SCIMPrefix begins every token of a directory.
	SCIMPrefix = "ghs_"
)

const (
	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	random   = 36 // characters: 214 bits
	checksum = 6  // characters: 62^6 > 2^32
	hintEnd  = 4  // characters of the end that are shown
)

// Length is the length of a token in bytes.
const Length = len(ServicePrefix) + random + checksum

// NewService returns a token for a service account.
func NewService() string { return made(ServicePrefix) }

// NewPersonal returns a token for a person.
func NewPersonal() string { return made(PersonalPrefix) }

// NewSCIM returns a token for a directory.
func NewSCIM() string { return made(SCIMPrefix) }

func made(prefix string) string {
	b := []byte(prefix)
	buf := make([]byte, 64)
	for len(b) < len(prefix)+random {
		_, _ = rand.Read(buf) // never fails
		for _, c := range buf {
			// 248 = 4 × 62: a higher byte would favour the first characters.
			if c < 248 && len(b) < len(prefix)+random {
				b = append(b, alphabet[c%62])
			}
		}
	}
	return string(b) + sum(string(b))
}

// sum returns the CRC-32 (IEEE) of a token in base 62, with leading zeros.
func sum(s string) string {
	c := crc32.ChecksumIEEE([]byte(s))
	out := make([]byte, checksum)
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[c%62]
		c /= 62
	}
	return string(out)
}

// ValidService reports whether s has the form and the checksum of a service
// account's token; it says nothing of whether there is one.
func ValidService(s string) bool { return valid(s, ServicePrefix) }

// ValidPersonal is as [ValidService], for a person's token.
func ValidPersonal(s string) bool { return valid(s, PersonalPrefix) }

// ValidSCIM is as [ValidService], for a directory's token.
func ValidSCIM(s string) bool { return valid(s, SCIMPrefix) }

func valid(s, prefix string) bool {
	if len(s) != Length || !strings.HasPrefix(s, prefix) {
		return false
	}
	for _, c := range []byte(s[len(prefix):]) {
		if strings.IndexByte(alphabet, c) < 0 {
			return false
		}
	}
	return sum(s[:len(prefix)+random]) == s[len(prefix)+random:]
}

// Hint returns the beginning and the end of a token, by which people tell it
// from others.
func Hint(s string) string {
	if !ValidService(s) && !ValidPersonal(s) && !ValidSCIM(s) {
		return ""
	}
	return s[:len(ServicePrefix)+hintEnd] + "…" + s[len(s)-hintEnd:]
}

// Refresh is a refresh token: which session it is of, and how many were before
// it. It is genuine when its seal is that of the session's key, so that one that
// was exchanged before is told from one that was made up, and none need be kept.
type Refresh struct {
	// Session is the id of the session.
	Session string
	// Generation counts the tokens of the session, from 1.
	Generation int64
	seal       string
}

const refreshPrefix = "ghr_"

// NewRefreshKey returns a key for the refresh tokens of a session.
func NewRefreshKey() string { return OneTime() }

// NewRefresh returns the refresh token of a generation.
func NewRefresh(session string, generation int64, key string) string {
	return refreshPrefix + session + "." + strconv.FormatInt(generation, 10) + "." + refreshSeal(session, generation, key)
}

func refreshSeal(session string, generation int64, key string) string {
	m := hmac.New(sha256.New, []byte(key))
	_, _ = m.Write([]byte(session + "." + strconv.FormatInt(generation, 10))) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// ParseRefresh reads a refresh token. It says nothing of whether it is genuine.
func ParseRefresh(s string) (Refresh, bool) {
	rest, ok := strings.CutPrefix(s, refreshPrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 || parts[0] == "" || len(parts[0]) > 64 {
		return Refresh{}, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != parts[1] {
		return Refresh{}, false
	}
	return Refresh{Session: parts[0], Generation: n, seal: parts[2]}, true
}

// Genuine reports whether the token was made with the session's key.
func (r Refresh) Genuine(key string) bool {
	return key != "" && secret.Equal(r.seal, refreshSeal(r.Session, r.Generation, key))
}
