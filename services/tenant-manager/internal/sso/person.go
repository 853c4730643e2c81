package sso

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// Names are where claims have what is asked of them; dots part the names of nested
// objects.
type Names struct{ Email, Name, Groups string }

// Person is who somebody is, as a provider says.
type Person struct {
	// Subject is the provider's name for them, which never changes; "" = there is
	// none, and Why may say why.
	Subject, Why string
	// Email is the address, "" where there is none that is right.
	Email string
	// Verified is whether the provider says that the address is theirs; nil = it
	// says nothing.
	Verified *bool
	Name     string
	Groups   []string
	// Overage says why Groups are not all that there are; "" = they are. The roles of
	// some of somebody's groups are not theirs.
	Overage string
	// Methods are how they signed in there (the claim amr, RFC 8176).
	Methods []string
	// SID is the name of their session there, "" where the provider gives it none
	// (OpenID Connect Back-Channel Logout section 2.1).
	SID string
}

const (
	mostGroups  = 2000
	mostMethods = 5
)

var method = regexp.MustCompile(`^[a-z0-9_-]{1,16}$`)

// Read reads claims.
func Read(claims map[string]any, names Names) Person {
	p := Person{Subject: text(claims["sub"]), Name: cut(strings.TrimSpace(text(find(claims, names.Name)))), SID: text(claims["sid"])}
	p.Email = address(text(find(claims, names.Email)))
	switch v := claims["email_verified"].(type) {
	case bool:
		p.Verified = &v
	case string: // some providers write it so
		yes := v == "true"
		p.Verified = &yes
	}
	// Entra ID says with another claim whether the owner of the address's domain is the
	// tenant; guests bring addresses that nobody has looked at.
	if p.Verified == nil {
		p.Verified = truth(claims["xms_edov"])
	}
	// What is verified is the claim email, and not one that stands beside it.
	if p.Verified != nil && *p.Verified && names.Email != "email" && !strings.EqualFold(text(claims["email"]), p.Email) {
		p.Verified = nil
	}
	p.Groups, p.Overage = groups(list(find(claims, names.Groups)))
	if find(claims, names.Groups) == nil && leftOut(claims, names.Groups) {
		p.Overage = "the provider left the groups out, because there are too many for a token: have it name only those that are assigned to the application, or use app roles"
	}
	for _, m := range list(claims["amr"]) {
		if len(p.Methods) < mostMethods && method.MatchString(m) {
			p.Methods = append(p.Methods, m)
		}
	}
	return p
}

// truth reads a claim that is true or false in one of the ways in which Entra ID writes
// it; nil = it says nothing.
func truth(v any) *bool {
	var yes bool
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		yes = v
	case float64:
		yes = v == 1
	case string:
		yes = v == "1" || strings.EqualFold(v, "true")
	}
	return &yes
}

// address returns an e-mail address, "" where it is none: not one with a name before
// it either, of which a provider may have looked at another part.
func address(s string) string {
	s = strings.TrimSpace(s)
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return ""
	}
	return s
}

// groups returns each group once, and not too many.
func groups(named []string) (out []string, overage string) {
	for _, g := range named {
		if g == "" || slices.Contains(out, g) {
			continue
		}
		if len(out) == mostGroups {
			return out, fmt.Sprintf("there are more than %d groups: have the provider name only those that matter", mostGroups)
		}
		out = append(out, g)
	}
	return out, ""
}

// leftOut reports whether a token names a claim without having it: it is to be asked
// for elsewhere (OpenID Connect Core section 5.6.2), as Microsoft Entra ID does with
// groups from 200 on, where it says "hasgroups" in some tokens.
func leftOut(claims map[string]any, name string) bool {
	if elsewhere, ok := claims["_claim_names"].(map[string]any); ok {
		if _, there := elsewhere[name]; there {
			return true
		}
	}
	return name == "groups" && (claims["hasgroups"] == true || claims["hasgroups"] == "true")
}

// find returns a claim. One whose own name has dots comes before a nested one.
func find(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	for i := 0; i < len(name); i++ {
		if name[i] != '.' {
			continue
		}
		if inner, ok := claims[name[:i]].(map[string]any); ok {
			if v := find(inner, name[i+1:]); v != nil {
				return v
			}
		}
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// list returns the texts of a list, or the one text that stands in its place.
func list(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// Domain returns the domain of an e-mail address as it is looked up, "" where it
// has none.
func Domain(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(domain)), ".")
}

var domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// IsDomain reports whether something is a domain in lower case, such as
// acme.example.
func IsDomain(s string) bool { return len(s) <= 253 && domain.MatchString(s) }
