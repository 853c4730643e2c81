// Package reference reads secrets from where they are kept: environment
// variables, files, and HashiCorp Vault or what speaks its API (KV version 2). A
// configuration, or somebody in a form, names the place; only the process that
// uses a secret reads it.
//
// It knows nothing of who may name what; [Rules] say so.
package reference

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// The schemes of references.
const (
	Env   = "env"
	File  = "file"
	Vault = "vault"
)

// MaxSize bounds the size of a secret in bytes.
const MaxSize = 64 << 10

// maxLength bounds the length of a reference.
const maxLength = 1000

// Errors of reading. They are wrapped by errors that name the reference and never
// the value.
var (
	// ErrNotFound says that there is nothing where the reference leads to.
	ErrNotFound = errors.New("there is no such secret")
	// ErrDenied says that the place lets us not read it.
	ErrDenied = errors.New("reading it is not allowed")
	// ErrUnavailable says that the place does not answer now: it may later.
	ErrUnavailable = errors.New("it cannot be read now")
)

// Reference names a secret.
type Reference struct {
	// Scheme is [Env], [File] or [Vault].
	Scheme string
	// Name is the variable, or the path of the file.
	Name string
	// Mount, Path and Field are where Vault has it: the field of a secret in a KV
	// engine of version 2.
	Mount, Path, Field string
	// Version is that of the secret in Vault; 0 = the newest.
	Version int
}

// Is reports whether a text has the form of a reference, though it may have
// mistakes.
func Is(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && (scheme == Env || scheme == File || scheme == Vault)
}

var (
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	segment  = regexp.MustCompile(`^[A-Za-z0-9_.@:+=,~ -]+$`)
)

// Parse reads a reference: env:NAME, file:/path, or
// vault:mount/path#field with ?version=3 before the # where it is not to be the
// newest. Its errors say what is wrong with the text.
func Parse(s string) (Reference, error) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || len(s) > maxLength {
		return Reference{}, errors.New(`it is no reference: write env:NAME, file:/path or vault:mount/path#field`)
	}
	switch scheme {
	case Env:
		if !variable.MatchString(rest) {
			return Reference{}, errors.New("the name of a variable has letters, digits and _ and no digit first: write env:NAME")
		}
		return Reference{Scheme: Env, Name: rest}, nil
	case File:
		if rest == "" || strings.ContainsRune(rest, 0) || strings.HasSuffix(rest, "/") {
			return Reference{}, errors.New("it names no file: write file:/path")
		}
		return Reference{Scheme: File, Name: path.Clean(rest)}, nil
	case Vault:
		return parseVault(rest)
	}
	return Reference{}, fmt.Errorf("there are no references of %s: write env:NAME, file:/path or vault:mount/path#field", strconv.Quote(scheme))
}

func parseVault(s string) (Reference, error) {
	s, field, ok := strings.Cut(s, "#")
	if !ok || !segment.MatchString(field) {
		return Reference{}, errors.New("it names no field: write vault:mount/path#field")
	}
	r := Reference{Scheme: Vault, Field: field}
	s, query, versioned := strings.Cut(s, "?")
	if versioned {
		text, ok := strings.CutPrefix(query, "version=")
		n, err := strconv.ParseUint(text, 10, 31)
		if !ok || err != nil || n == 0 || text != strconv.FormatUint(n, 10) {
			return Reference{}, errors.New("after the question mark only a version can stand: write vault:mount/path?version=3#field")
		}
		r.Version = int(n)
	}
	r.Mount, r.Path, ok = strings.Cut(s, "/")
	if !ok {
		return Reference{}, errors.New("it names no secret below the mount: write vault:mount/path#field")
	}
	for _, part := range strings.Split(s, "/") {
		// What could be read in two ways could get around the rules.
		if !segment.MatchString(part) || part == "." || part == ".." || strings.TrimSpace(part) != part {
			return Reference{}, fmt.Errorf("the part %s of the path cannot be: parts have letters, digits and -_.@:+=,~ and are none of dots alone", strconv.Quote(part))
		}
	}
	return r, nil
}

// String returns the text that [Parse] reads.
func (r Reference) String() string {
	if r.Scheme != Vault {
		return r.Scheme + ":" + r.Name
	}
	version := ""
	if r.Version > 0 {
		version = "?version=" + strconv.Itoa(r.Version)
	}
	return Vault + ":" + r.Mount + "/" + r.Path + version + "#" + r.Field
}

// place is what [Rules] look at: the secret without its version and field.
func (r Reference) place() string {
	if r.Scheme != Vault {
		return r.Scheme + ":" + r.Name
	}
	return Vault + ":" + r.Mount + "/" + r.Path
}
