package reference

import (
	"fmt"
	"path"
	"strings"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Rules say which references may be named by people who do not run the
// installation. Whoever writes its configuration files may name any.
//
// Each is the beginning of references: what ends in / allows all that is below,
// what ends in _ all variables that begin so, anything else that one secret with
// all its fields and versions.
type Rules struct {
	// Organizations are the beginnings of references that the administrators of
	// organizations may use, such as vault:secret/tenants/{organization}/, where
	// {organization} stands for their short name. Without one they may use none.
	Organizations []string `json:"organizations,omitempty" schema:"maxItems=100"`
	// Platform are the beginnings of references that administrators of the platform
	// may use for what they set in the console, such as vault:secret/platform/.
	Platform []string `json:"platform,omitempty" schema:"maxItems=100"`
}

// organizationMark stands for the short name of an organization in a rule.
const organizationMark = "{organization}"

// Validate returns what is wrong with the rules.
func (r Rules) Validate() []problem.Field {
	var fields []problem.Field
	for name, list := range map[string][]string{"organizations": r.Organizations, "platform": r.Platform} {
		for i, rule := range list {
			if err := checkRule(strings.ReplaceAll(rule, organizationMark, "acme")); err != nil {
				fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/%s/%d", name, i), Code: schema.RuleFormat, Detail: err.Error()})
			}
		}
	}
	return fields
}

func checkRule(rule string) error {
	scheme, rest, _ := strings.Cut(rule, ":")
	whole := strings.TrimSuffix(rest, "/")
	switch {
	case scheme == Env && variable.MatchString(rest):
		return nil
	case scheme == File && path.IsAbs(rest) && path.Clean(whole) == whole && whole != "":
		return nil
	case scheme == Vault:
		// A mount as a whole is a place as well.
		if !strings.Contains(whole, "/") {
			whole += "/all"
		}
		if _, err := parseVault(whole + "#field"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is not the beginning of references: write something such as vault:secret/tenants/{organization}/, file:/run/secrets/tenants/ or env:TENANT_", rule)
}

// For returns the beginnings that the administrators of an organization may use,
// by its short name.
func (r Rules) For(organization string) []string {
	if organization == "" {
		return nil
	}
	out := make([]string, len(r.Organizations))
	for i, rule := range r.Organizations {
		out[i] = strings.ReplaceAll(rule, organizationMark, organization)
	}
	return out
}

// NotAllowedError says that somebody may not use a reference.
type NotAllowedError struct {
	// Allowed are the beginnings that they may use.
	Allowed []string
}

// Error says which references they may use.
func (e *NotAllowedError) Error() string {
	if len(e.Allowed) == 0 {
		return "references to secrets are not allowed here: whoever runs the installation lists those that are; give the secret itself"
	}
	return "this reference is not allowed: use one that begins with " + strings.Join(e.Allowed, ", or ")
}

// Unwrap returns [ErrDenied].
func (*NotAllowedError) Unwrap() error { return ErrDenied }

// Stand returns a function for [schema.ResolveSecrets] that reads nothing: it
// refuses what no organization may use, and returns a long text for the rest. It is
// for checking what somebody else will read.
func (r Rules) Stand() schema.Resolver {
	return func(scheme, name string) (string, error) {
		ref, err := Parse(scheme + ":" + name)
		if err == nil {
			err = check(ref, r.Organizations, true)
		}
		if err != nil {
			return "", fmt.Errorf("%s:%s: %w", scheme, name, err)
		}
		return strings.Repeat("x", 64), nil
	}
}

// Check returns a [NotAllowedError] where a reference has none of the beginnings.
func Check(r Reference, allowed []string) error { return check(r, allowed, false) }

// check is as Check. anyone has {organization} stand for any.
func check(r Reference, allowed []string, anyone bool) error {
	at := r.place()
	for _, a := range allowed {
		if anyone {
			a = like(a, at)
		}
		switch {
		case at == a,
			strings.HasSuffix(a, "/") && strings.HasPrefix(at, a) && len(at) > len(a),
			r.Scheme == Env && strings.HasSuffix(a, "_") && strings.HasPrefix(at, a) && len(at) > len(a):
			return nil
		}
	}
	return &NotAllowedError{Allowed: allowed}
}

// like returns a rule with the organization that a place would have there.
func like(rule, at string) string {
	before, _, ok := strings.Cut(rule, organizationMark)
	rest, has := strings.CutPrefix(at, before)
	if !ok || !has {
		return rule
	}
	slug := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz0123456789-"))]
	if slug == "" {
		return rule
	}
	return strings.ReplaceAll(rule, organizationMark, slug)
}
