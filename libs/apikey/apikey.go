// Package apikey makes and recognises API keys: a fixed prefix by which
// scanners for leaked secrets find them, random characters, and a checksum by
// which a mistyped or invented key is told without a lookup. It knows nothing
// of who owns a key or where keys are kept.
package apikey

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Prefix begins every key that Gatehouse makes.
const Prefix = "ghk_"

const (
	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	random   = 36 // characters: 214 bits
	checksum = 6  // characters: 62^6 > 2^32
)

// Length is the length of a key in bytes.
const Length = len(Prefix) + random + checksum

// New returns a fresh key of 214 random bits. It is a secret, to be shown once.
func New() (string, error) { return read(rand.Reader) }

// read makes a key from random bytes.
func read(r io.Reader) (string, error) {
	var b [Length]byte
	copy(b[:], Prefix)
	var buf [64]byte
	for n := len(Prefix); n < len(Prefix)+random; {
		if _, err := io.ReadFull(r, buf[:]); err != nil {
			return "", fmt.Errorf("reading random bytes: %w", err)
		}
		for _, c := range buf {
			// 248 = 4 × 62: a higher byte would favour the first characters.
			if c < 248 && n < len(Prefix)+random {
				b[n] = alphabet[c%62]
				n++
			}
		}
	}
	check := sum(string(b[:len(Prefix)+random]))
	copy(b[len(Prefix)+random:], check[:])
	return string(b[:]), nil
}

// Recognised reports whether s claims to be a key that Gatehouse made.
func Recognised(s string) bool { return strings.HasPrefix(s, Prefix) }

// Valid reports whether s has the form and the checksum of a key that Gatehouse
// made. It says nothing of whether the key exists. It does not allocate.
func Valid(s string) bool {
	if len(s) != Length || !Recognised(s) {
		return false
	}
	for i := len(Prefix); i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return sum(s[:len(Prefix)+random]) == [checksum]byte([]byte(s[len(Prefix)+random:]))
}

// sum returns the CRC-32 (IEEE) of key in base 62, with leading zeros. It is
// written out, because that of hash/crc32 makes its argument escape.
func sum(key string) (out [checksum]byte) {
	c := ^uint32(0)
	for i := range len(key) {
		c = crc32.IEEETable[byte(c)^key[i]] ^ c>>8
	}
	c = ^c
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = alphabet[c%62]
		c /= 62
	}
	return out
}
