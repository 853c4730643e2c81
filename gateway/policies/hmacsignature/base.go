package hmacsignature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// signatureBase returns the text that is signed (RFC 9421 section 2.5). Ok is
// false where a component is not there.
func signatureBase(r *policy.Request, in input) (string, bool) {
	var b strings.Builder
	for _, name := range in.components {
		v, ok := component(r, name)
		if !ok {
			return "", false
		}
		b.WriteByte('"')
		b.WriteString(name)
		b.WriteString("\": ")
		b.WriteString(v)
		b.WriteByte('\n')
	}
	b.WriteString(`"@signature-params": `)
	b.WriteString(in.raw)
	return b.String(), true
}

// component returns the value of a component: derived (section 2.2) or a header
// field (section 2.1).
func component(r *policy.Request, name string) (string, bool) {
	query := ""
	if r.Query != "" {
		query = "?" + r.Query
	}
	switch name {
	case "@method":
		return r.Method, true
	case "@authority", "host":
		return authority(r), true
	case "@scheme":
		return r.Scheme, true
	case "@target-uri":
		return r.Scheme + "://" + authority(r) + r.Path + query, true
	case "@request-target":
		return r.Path + query, true
	case "@path":
		return r.Path, true
	case "@query":
		return "?" + r.Query, true // a lone question mark where there is none
	case "content-length":
		n := r.Body.Length()
		return strconv.FormatInt(n, 10), n >= 0
	}
	if name == "" || name[0] == '@' {
		return "", false
	}
	n := 0
	var b strings.Builder
	for v := range r.Header.Values(name) {
		if n > 0 {
			b.WriteString(", ")
		}
		n++
		b.WriteString(strings.Trim(v, " \t"))
	}
	return b.String(), n > 0
}

// authority is the Host as RFC 9421 section 2.2.3 has it: lower case, without
// the default port.
func authority(r *policy.Request) string {
	a := strings.ToLower(r.Authority)
	switch r.Scheme {
	case "http":
		a = strings.TrimSuffix(a, ":80")
	case "https":
		a = strings.TrimSuffix(a, ":443")
	}
	return a
}

func verify(secret []byte, base string, signature []byte) bool {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(base))
	return hmac.Equal(m.Sum(nil), signature)
}

// body verifies the digest of the body, which is read only for requests whose
// signature is good.
func (k *check) body(ex *policy.Exchange, in input) error {
	covered := slices.Contains(in.components, "content-digest")
	body := &ex.Request.Body
	if !covered {
		if body.Empty() || k.Body == "optional" {
			return nil
		}
		return k.digest
	}
	if ex.Request.GRPC || ex.Request.Upgrade != "" {
		return k.stream
	}
	content, err := body.Buffer(int64(k.MaxBody))
	if errors.Is(err, policy.ErrBodyTooLarge) {
		return problem.New(problem.CodeBodyTooLarge, "the body exceeds the %s that can be verified", k.MaxBody)
	}
	if err != nil {
		var p *problem.Problem
		if errors.As(err, &p) {
			return p
		}
		return problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
	}
	digests, ok := parseBytes(ex.Request.Header.Joined("Content-Digest"))
	if !ok || !matches(digests, content) {
		return k.digest
	}
	return nil
}

// matches reports whether there is a digest of a strong algorithm and all such
// are right (RFC 9530 sections 2 and 5).
func matches(digests map[string][]byte, content []byte) bool {
	known := false
	for name, want := range digests {
		var got []byte
		switch name {
		case "sha-256":
			s := sha256.Sum256(content)
			got = s[:]
		case "sha-512":
			s := sha512.Sum512(content)
			got = s[:]
		default:
			continue
		}
		if subtle.ConstantTimeCompare(got, want) != 1 {
			return false
		}
		known = true
	}
	return known
}
