// Package access is the rules of who may do what: the permissions that there
// are, the built-in roles, what a grant covers, and why something is allowed or
// not. It does no I/O and knows no request.
package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Permission is one thing that somebody may be allowed to do.
type Permission struct {
	// Name is "<kind>:<verb>".
	Name string
	// Kind is a word of the product in kebab-case, Verb what is done to it.
	Kind, Verb string
	// Title is for people.
	Title string
}

// kinds are the things that permissions are about, in the order of the product,
// each with its plural for people and its verbs.
var kinds = []struct{ name, plural, verbs string }{
	{"organization", "the organization", "read update delete"},
	{"user", "users", "read update delete impersonate"},
	{"group", "groups", "read create update delete"},
	{"role", "roles", "read create update delete"},
	{"service-account", "service accounts", "read create update delete"},
	{"invitation", "invitations", "read create delete"},
	{"sso-connection", "single sign-on", "read create update delete"},
	{"scim", "provisioning", "read create update delete"},
	{"oauth-client", "OAuth2 clients", "read create update delete"},
	{"oauth-scope", "OAuth2 scopes", "read create update delete"},
	{"oauth-key", "OAuth2 signing keys", "read update"},
	{"audit", "the audit trail", "read update"},
	{"project", "projects", "read create update delete"},
	{"api", "APIs", "read create update delete deploy"},
	{"plan", "plans", "read create update delete"},
	{"policy", "policies", "read create update delete"},
	{"deployment", "deployments", "read create update delete deploy approve"},
	{"environment", "environments", "read create update delete"},
	{"gateway-group", "gateway groups", "read create update delete"},
	{"gateway", "gateways", "read create update delete"},
	{"application", "applications", "read create update delete"},
	{"subscription", "subscriptions", "read create update delete approve"},
	{"credential", "credentials", "read create update delete"},
	{"traffic", "traffic", "read"},
	{"portal", "the portal", "read update"},
	{Platform, "all organizations", "read create update delete"},
}

// Platform is the kind of the permissions on all organizations. They are apart
// from those in one: only their own names and "platform:*" mean them, and only
// those of the first organization can use them.
const Platform = "platform"

// Impersonate is the permission to act as somebody else. Only its name and "*" mean
// it: "user:*" is in roles of before there was it.
const Impersonate = "user:impersonate"

var verbTitles = map[string]string{
	"read": "See", "create": "Make", "update": "Change", "delete": "Delete", "deploy": "Deploy", "approve": "Approve", "impersonate": "Act as",
}

// Permissions returns every permission there is, by kind.
func Permissions() []Permission { return slices.Clone(permissions) }

// permissions are made once: they are looked at for every decision.
var permissions = func() []Permission {
	var out []Permission
	for _, k := range kinds {
		for v := range strings.FieldsSeq(k.verbs) {
			out = append(out, Permission{Name: k.name + ":" + v, Kind: k.name, Verb: v, Title: verbTitles[v] + " " + k.plural})
		}
	}
	return out
}()

// inEnvironments are the kinds of what is in an environment: a permission on one
// of them can name the environment.
var inEnvironments = []string{"deployment", "environment", "gateway-group", "gateway", "traffic"}

// Environments returns the kinds whose permissions can name an environment.
func Environments() []string { return slices.Clone(inEnvironments) }

// SplitEnvironment splits a permission or pattern such as
// "deployment:create:prd" into "deployment:create" and the environment's slug,
// which is "" where none is named.
func SplitEnvironment(pattern string) (permission, environment string) {
	kind, rest, _ := strings.Cut(pattern, ":")
	verb, environment, found := strings.Cut(rest, ":")
	if !found {
		return pattern, ""
	}
	return kind + ":" + verb, environment
}

// matches reports whether a pattern means a permission: "*" means all, "api:*"
// all of a kind, "*:read" a verb of all kinds. With an environment it means the
// permission there, without one everywhere.
func matches(pattern, permission string) bool {
	if pattern == permission {
		return true
	}
	pattern, only := SplitEnvironment(pattern)
	permission, environment := SplitEnvironment(permission)
	return (only == "" || only == environment) && covers(pattern, permission)
}

// touches reports whether a pattern means a part of a permission: it is as
// matches, but one that names no environment is touched by one that names any.
func touches(pattern, permission string) bool {
	pattern, only := SplitEnvironment(pattern)
	permission, environment := SplitEnvironment(permission)
	return (only == "" || environment == "" || only == environment) && covers(pattern, permission)
}

// covers is matches for names without an environment.
func covers(pattern, permission string) bool {
	if pattern == permission || pattern == "*" && !strings.HasPrefix(permission, Platform+":") {
		return true
	}
	kind, verb, _ := strings.Cut(pattern, ":")
	switch {
	case permission == Impersonate:
		return false
	case strings.HasPrefix(permission, Platform+":"):
		return verb == "*" && kind == Platform
	case verb == "*":
		return kind == "*" || strings.HasPrefix(permission, kind+":")
	case kind == "*":
		return strings.HasSuffix(permission, ":"+verb)
	}
	return false
}

// Expand returns the names of all permissions that the patterns mean, in the
// order of [Permissions]; those of patterns that name an environment name it, and
// come where the same without does not.
func Expand(patterns []string) []string {
	out := []string{}
	for _, p := range Permissions() {
		if slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, p.Name) }) {
			out = append(out, p.Name)
			continue
		}
		if !slices.Contains(inEnvironments, p.Kind) {
			continue
		}
		for _, pattern := range patterns {
			base, environment := SplitEnvironment(pattern)
			name := p.Name + ":" + environment
			if environment != "" && covers(base, p.Name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check returns an error for a pattern that means no permission.
func Check(pattern string) error {
	base, environment := SplitEnvironment(pattern)
	switch {
	case strings.HasSuffix(pattern, ":") || environment != "" && !slug.MatchString(environment):
		return fmt.Errorf("there is no permission %q: an environment is named by its slug, such as deployment:deploy:prd", pattern)
	case environment != "" && base != "*:*" && len(Expand([]string{base})) > 0 && len(Expand([]string{pattern})) == 0:
		return fmt.Errorf("%q names an environment, and %s is in none: only permissions on %s can", pattern, base, strings.Join(inEnvironments, ", "))
	case len(Expand([]string{pattern})) == 0 || pattern == "*:*":
		return fmt.Errorf("there is no permission %q: use a name such as api:update, api:*, *:read or *, and deployment:deploy:prd for one environment", pattern)
	}
	return nil
}

// Normalize returns patterns sorted, each once, without those that another one
// includes.
func Normalize(patterns []string) []string {
	sorted := slices.Clone(patterns)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	return slices.DeleteFunc(slices.Clone(sorted), func(p string) bool {
		return slices.ContainsFunc(sorted, func(other string) bool { return other != p && matches(other, p) })
	})
}
