package basicauth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The cost of hashes that [Hash] makes: 19 MiB, two passes, one lane.
const (
	hashMemory  = 19 << 10 // KiB
	hashPasses  = 2
	hashLanes   = 1
	saltLength  = 16
	tagLength   = 32
	maxMemory   = 256 << 10 // KiB
	maxPasses   = 16
	maxLanes    = 16
	maxCost     = 14 // bcrypt
	maxPassword = 1024
)

// Hash returns the argon2id hash of a password (RFC 9106) in the PHC string
// format, as the credential of a user has it.
func Hash(password string) (string, error) {
	if password == "" || len(password) > maxPassword {
		return "", fmt.Errorf("a password has 1 to %d bytes", maxPassword) //nolint:err113 // for people
	}
	salt := make([]byte, saltLength)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	return encode(salt, argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashLanes, tagLength)), nil
}

func encode(salt, tag []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashLanes, b64(salt), b64(tag))
}

// decoy returns a hash of no password, on which as much time is spent as on a
// real one.
func decoy() (string, error) {
	b := make([]byte, saltLength+tagLength)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("reading random bytes: %w", err)
	}
	return encode(b[:saltLength], b[saltLength:]), nil
}

// errHash says that a stored hash is not one that can be checked against.
var errHash = errors.New("the stored hash is neither argon2id nor bcrypt within bounds")

// verify reports whether the password is that of the hash. Parameters out of
// bounds are refused: they would let one request take all memory.
func verify(hash, password string) (bool, error) {
	if strings.HasPrefix(hash, "$2") {
		if cost, err := bcrypt.Cost([]byte(hash)); err != nil || cost > maxCost {
			return false, errHash
		}
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil, nil
	}
	p, err := parse(hash)
	if err != nil {
		return false, err
	}
	tag := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.tag)))
	return subtle.ConstantTimeCompare(tag, p.tag) == 1, nil
}

type parameters struct {
	memory, passes uint32
	lanes          uint8
	salt, tag      []byte
}

func parse(hash string) (p parameters, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errHash
	}
	var m, t, l uint32
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &l); err != nil || n != 3 {
		return p, errHash
	}
	if m < 8*l || m > maxMemory || t < 1 || t > maxPasses || l < 1 || l > maxLanes ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", m, t, l) {
		return p, errHash
	}
	p.memory, p.passes, p.lanes = m, t, uint8(l)
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.tag, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.salt) < 8 || len(p.salt) > 64 || len(p.tag) < 16 || len(p.tag) > 64 {
		return p, errHash
	}
	return p, nil
}
