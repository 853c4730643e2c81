package revision

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Mask is what stands for a secret of an upstream in an answer; sent back like that
// the secret stays.
const Mask = "***"

// fixed are fields that the transport writes.
var fixed = []string{"Host", "Content-Length", "Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Keep-Alive", "Proxy-Connection"}

// checkAuth checks what an upstream knows the gateway by.
func checkAuth(a *unit.Auth, at string, add func(pointer, code, format string, args ...any)) {
	if a == nil {
		return
	}
	text := a.Secret()
	if text == nil {
		add(at, schema.RuleOneOf, "give one of basic, bearer and header")
		return
	}
	where := at + "/bearer"
	switch {
	case a.Basic != nil:
		where = at + "/basic/password"
		if u := a.Basic.Username; strings.ContainsRune(u, ':') || !httpguts.ValidHeaderFieldValue(u) {
			add(at+"/basic/username", schema.RuleFormat, "a user name has neither colons nor control characters")
		}
	case a.Header != nil:
		where = at + "/header/value"
		if n := a.Header.Name; !httpguts.ValidHeaderFieldName(n) || slices.Contains(fixed, http.CanonicalHeaderKey(n)) {
			add(at+"/header/name", schema.RuleFormat, "want a field that can be set, such as X-API-Key")
		}
	}
	switch {
	case *text == "":
		add(where, schema.RuleRequired, "give the secret, or a reference to it")
	case *text == Mask:
		add(where, schema.RuleRequired, "give the secret again: it belongs to the name and the targets that it was given for")
	case !httpguts.ValidHeaderFieldValue(*text):
		add(where, schema.RuleFormat, "a secret that is sent in a header has no line breaks and no control characters")
	}
}

// CheckReferences returns what is wrong with the references to secrets of
// upstreams: allowed are the beginnings that the organization may use.
func (d *Draft) CheckReferences(allowed []string) []problem.Field {
	var fields []problem.Field
	check := func(pointer, text string) {
		if !reference.Is(text) {
			return
		}
		ref, err := reference.Parse(text)
		if err == nil {
			err = reference.Check(ref, allowed)
		}
		if err != nil {
			fields = append(fields, problem.Field{Pointer: pointer, Code: ruleReference, Detail: err.Error()})
		}
	}
	for i := range d.Upstreams {
		u, at := &d.Upstreams[i], fmt.Sprintf("/upstreams/%d", i)
		if u.TLS != nil {
			check(at+"/tls/certificate", u.TLS.Certificate)
			check(at+"/tls/key", u.TLS.Key)
		}
		if text := u.Auth.Secret(); text != nil {
			where := "/auth/bearer"
			switch {
			case u.Auth.Basic != nil:
				where = "/auth/basic/password"
			case u.Auth.Header != nil:
				where = "/auth/header/value"
			}
			check(at+where, *text)
		}
	}
	return fields
}

// MaskKeys hides the secrets of upstreams, for showing: private keys are left out,
// others are [Mask]. References are none, and stay.
func MaskKeys(list []unit.Upstream) []unit.Upstream {
	out := slices.Clone(list)
	for i := range out {
		if t := out[i].TLS; t != nil && t.Key != "" && !reference.Is(t.Key) {
			tls := *t
			tls.Key = ""
			out[i].TLS = &tls
		}
		out[i].Auth = out[i].Auth.Clone()
		hide(out[i].Auth)
	}
	return out
}

// hide masks every secret that is there, also where there is more than one.
func hide(a *unit.Auth) {
	if a == nil {
		return
	}
	secrets := []*string{&a.Bearer}
	if a.Basic != nil {
		secrets = append(secrets, &a.Basic.Password)
	}
	if a.Header != nil {
		secrets = append(secrets, &a.Header.Value)
	}
	for _, s := range secrets {
		if *s != "" && !reference.Is(*s) {
			*s = Mask
		}
	}
}

// KeepKeys takes secrets over from before that are not shown: private keys where an
// upstream of the same name and certificate comes without one, and what the
// upstream knows the gateway by where that comes masked, by the same name, and all
// targets are where they were. So a secret goes nowhere that it was not given for.
func KeepKeys(list, before []unit.Upstream) {
	for i := range list {
		u := &list[i]
		for j := range before {
			old := &before[j]
			if old.Name != u.Name {
				continue
			}
			if t := u.TLS; t != nil && t.Certificate != "" && t.Key == "" && old.TLS != nil && old.TLS.Certificate == t.Certificate {
				kept := *t
				kept.Key = old.TLS.Key
				u.TLS = &kept
			}
			keepAuth(u, old)
		}
	}
}

func keepAuth(u, old *unit.Upstream) {
	text, was := u.Auth.Secret(), old.Auth.Secret()
	if text == nil || was == nil || *text != Mask {
		return
	}
	a, b := u.Auth, old.Auth
	same := a.Basic != nil && b.Basic != nil && a.Basic.Username == b.Basic.Username ||
		a.Header != nil && b.Header != nil && http.CanonicalHeaderKey(a.Header.Name) == http.CanonicalHeaderKey(b.Header.Name) ||
		a.Bearer != "" && b.Bearer != ""
	origins := map[string]bool{}
	for _, t := range old.Targets {
		origins[origin(t.URL)] = true
	}
	for _, t := range u.Targets {
		same = same && origins[origin(t.URL)]
	}
	// Who verifies less than before could be somebody else.
	if u.TLS != nil && (old.TLS == nil || u.TLS.CA != old.TLS.CA || u.TLS.InsecureSkipVerify && !old.TLS.InsecureSkipVerify || u.TLS.ServerName != old.TLS.ServerName) {
		same = false
	}
	if !same {
		return
	}
	u.Auth = a.Clone()
	*u.Auth.Secret() = *was
}

// origin returns scheme and host of an address.
func origin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}
