package revision

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

var (
	hostName = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)
	method   = regexp.MustCompile(`^([A-Z]{1,20}|\*)$`)
)

// ruleReference says that a field names what is not there.
const ruleReference = "reference"

// Check brings a draft into its canonical form, as gateways compare paths and
// hosts, and returns what is wrong with it, by field of the API.
func (d *Draft) Check() []problem.Field {
	var fields []problem.Field
	add := func(pointer, code, format string, args ...any) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
	d.Name = strings.TrimSpace(d.Name)
	if d.Name == "" {
		add("/name", schema.RuleRequired, "give the API a name")
	}
	d.BasePath = "/" + strings.Trim(d.BasePath, "/")
	switch {
	case strings.Contains(d.BasePath, "//"), strings.ContainsAny(d.BasePath, "{}?#\\ %;"), strings.Contains(d.BasePath+"/", "/./"), strings.Contains(d.BasePath+"/", "/../"):
		add("/basePath", schema.RuleFormat, "a base path is made of plain segments, such as /orders/v1: without templates, empty or dot segments, or escapes")
	case len(d.BasePath) > 500:
		add("/basePath", schema.RuleMaxLength, "at most 500 characters")
	}
	for i, h := range d.Hosts {
		d.Hosts[i] = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(h), "."))
		if !hostName.MatchString(d.Hosts[i]) || len(d.Hosts[i]) > 253 {
			add(fmt.Sprintf("/hosts/%d", i), schema.RuleFormat, "want a name without a port, such as api.example.com or *.example.com; leave hosts empty for any")
		}
	}
	slices.Sort(d.Hosts)
	d.Hosts = slices.Compact(d.Hosts)
	names := d.checkUpstreams(add)
	d.checkOperations(names, add)
	return fields
}

func (d *Draft) checkUpstreams(add func(pointer, code, format string, args ...any)) map[string]bool {
	names := map[string]bool{}
	if len(d.Upstreams) == 0 {
		add("/upstreams", schema.RuleRequired, "name at least one upstream: where requests are sent to")
	}
	for i := range d.Upstreams {
		u, at := &d.Upstreams[i], fmt.Sprintf("/upstreams/%d", i)
		if u.Name == "" && i == 0 {
			u.Name = "default"
		}
		switch {
		case u.Name == "":
			add(at+"/name", schema.RuleRequired, "give each upstream but the first a name")
		case names[u.Name]:
			add(at+"/name", schema.RuleDuplicate, "there are two upstreams %q", u.Name)
		}
		names[u.Name] = true
		if len(u.Targets) == 0 {
			add(at+"/targets", schema.RuleMinItems, "name at least one target")
		}
		for j, t := range u.Targets {
			if detail := CheckTarget(t.URL); detail != "" {
				add(fmt.Sprintf("%s/targets/%d/url", at, j), schema.RuleFormat, "%s", detail)
			}
		}
		checkAuth(u.Auth, at+"/auth", add)
	}
	return names
}

// CheckTarget returns what is wrong with the address of a target, "" = nothing.
func CheckTarget(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "want http:// or https:// with a host, such as http://orders:8080"
	case u.User != nil:
		return "an address has no user and password in it: give them as auth of the upstream"
	case u.RawQuery != "" || u.Fragment != "":
		return "an address has neither a query nor a fragment"
	}
	return ""
}

func (d *Draft) checkOperations(upstreams map[string]bool, add func(pointer, code, format string, args ...any)) {
	ids, places := map[string]bool{}, map[string]bool{}
	for i := range d.Operations {
		o, at := &d.Operations[i], fmt.Sprintf("/operations/%d", i)
		o.Method = strings.ToUpper(o.Method)
		if !method.MatchString(o.Method) {
			add(at+"/method", schema.RuleFormat, "want a method such as GET, or * for any")
		}
		if !strings.HasPrefix(o.Path, "/") {
			add(at+"/path", schema.RuleFormat, "a path begins with a slash, such as /items/{id}")
		}
		if o.ID == "" {
			o.ID = o.Method + " " + o.Path
		}
		if ids[o.ID] {
			add(at+"/id", schema.RuleDuplicate, "there are two operations %q", o.ID)
		}
		if places[o.Method+" "+o.Path] {
			add(at+"/path", schema.RuleDuplicate, "%s %s is there twice", o.Method, o.Path)
		}
		ids[o.ID], places[o.Method+" "+o.Path] = true, true
		if o.Upstream != "" && !upstreams[o.Upstream] {
			add(at+"/upstream", ruleReference, "the API has no upstream %q", o.Upstream)
		}
	}
}

// Routes are the hosts and base paths of a draft, "" standing for any host.
func (d *Draft) Routes() []Route {
	if len(d.Hosts) == 0 {
		return []Route{{BasePath: d.BasePath}}
	}
	out := make([]Route, len(d.Hosts))
	for i, h := range d.Hosts {
		out[i] = Route{Host: h, BasePath: d.BasePath}
	}
	return out
}

// Route is what can belong to one API of a gateway group only.
type Route struct{ Host, BasePath string }

// String is the route as it is shown to people.
func (r Route) String() string {
	if r.Host == "" {
		return r.BasePath
	}
	return r.Host + r.BasePath
}

// URLs are where an API is called whose group is called at public. One with
// wildcards or without hosts is called at the group's own.
func URLs(public string, d *Draft) []string {
	base, err := url.Parse(public)
	if err != nil || base.Host == "" {
		return nil
	}
	path := strings.TrimSuffix(d.BasePath, "/")
	if len(d.Hosts) == 0 {
		return []string{strings.TrimSuffix(public, "/") + path}
	}
	var out []string
	for _, h := range d.Hosts {
		if strings.HasPrefix(h, "*.") {
			continue
		}
		host := h
		if port := base.Port(); port != "" {
			host += ":" + port
		}
		out = append(out, base.Scheme+"://"+host+strings.TrimSuffix(base.Path, "/")+path)
	}
	return out
}
