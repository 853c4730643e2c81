// Package plan is what plans are: how an API may be consumed, what gateways get
// of it, what consumers are told, and which way a plan may go from draft to
// closed. It has no input or output.
package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

// The ways in which callers show who they are.
const (
	Keyless = "keyless"
	APIKey  = "api-key"
	JWT     = "jwt"
	OAuth2  = "oauth2"
	Basic   = "basic"
	MTLS    = "mtls"
)

// securityPolicies are the policy types behind them.
var securityPolicies = map[string]string{
	APIKey: "api-key", JWT: "jwt", OAuth2: "oauth2-introspection", Basic: "basic-auth", MTLS: "mtls",
}

// SecurityPolicy returns the policy type behind a kind of security, "" for
// keyless.
func SecurityPolicy(security string) string { return securityPolicies[security] }

// The states of a plan.
const (
	Draft      = "draft"
	Published  = "published"
	Deprecated = "deprecated"
	Closed     = "closed"
)

// The ways in which subscriptions become active.
const (
	Automatic = "automatic"
	Manual    = "manual"
)

// Plan is how an API may be consumed.
type Plan struct {
	ID, API, Project        string
	Slug, Name, Description string
	Security                string
	// SecurityConfig is the configuration of the policy behind the security.
	SecurityConfig json.RawMessage
	Approval       string
	Limits         Limits
	Policies       []policies.Policy
	// When is a CEL expression that must hold for the plan to be chosen.
	When     string
	Status   string
	Position int64

	PublishedAt, ClosedAt *time.Time
	Version               int64
	CreatedAt, UpdatedAt  time.Time
	CreatedBy             string
}

// Publish opens the plan to subscriptions. It reports whether that changes it.
func (p *Plan) Publish(now time.Time) (bool, error) {
	switch p.Status {
	case Published:
		return false, nil
	case Closed:
		return false, problem.New(problem.CodeConflict, "the plan is closed for good; make a new one")
	}
	p.Status = Published
	if p.PublishedAt == nil {
		p.PublishedAt = &now
	}
	return true, nil
}

// Deprecate closes the plan to new subscriptions.
func (p *Plan) Deprecate() (bool, error) {
	switch p.Status {
	case Deprecated:
		return false, nil
	case Published:
		p.Status = Deprecated
		return true, nil
	case Draft:
		return false, problem.New(problem.CodeConflict, "the plan is a draft, which takes no subscriptions yet; publish it first, or delete it")
	}
	return false, problem.New(problem.CodeConflict, "the plan is closed already")
}

// Close closes the plan for good. subscriptions is how many it has.
func (p *Plan) Close(now time.Time, subscriptions int64) (bool, error) {
	switch {
	case p.Status == Closed:
		return false, nil
	case subscriptions > 0:
		return false, inUse("closed", subscriptions)
	}
	p.Status, p.ClosedAt = Closed, &now
	return true, nil
}

// Delete says whether the plan may be deleted. subscriptions is how many it has.
func (p *Plan) Delete(subscriptions int64) error {
	if subscriptions > 0 {
		return inUse("deleted", subscriptions)
	}
	return nil
}

func inUse(verb string, n int64) error {
	noun := "applications are"
	if n == 1 {
		noun = "application is"
	}
	return problem.New(problem.CodeConflict, "%d %s subscribed to the plan; it can be %s when their subscriptions are closed. Deprecate it to take no new ones", n, noun, verb)
}

// KeyHeader returns the header that an API key is sent in, "" where the plan
// takes none.
func (p *Plan) KeyHeader() string {
	if p.Security != APIKey {
		return ""
	}
	var c struct {
		Header  string `json:"header"`
		Query   string `json:"query"`
		Cookie  string `json:"cookie"`
		Scheme  string `json:"scheme"`
		Sources []struct {
			In   string `json:"in"`
			Name string `json:"name"`
		} `json:"sources"`
	}
	_ = json.Unmarshal(p.SecurityConfig, &c) // it was checked when it was stored
	if c.Header != "" {
		return c.Header
	}
	for _, s := range c.Sources {
		if s.In == "header" {
			return s.Name
		}
	}
	switch {
	case len(c.Sources) > 0 || c.Query != "" || c.Cookie != "":
		return ""
	case c.Scheme != "":
		return "Authorization"
	}
	return "X-API-Key"
}

// Credential returns the kind of credential by which gateways find the application,
// "" where they look for none.
func (p *Plan) Credential() string {
	switch p.Security {
	case APIKey:
		return string(credential.APIKey)
	case Basic:
		return string(credential.Basic)
	case MTLS:
		return string(credential.Certificate)
	case OAuth2:
		return string(credential.OAuth2)
	case JWT:
		var c struct {
			Credential credential.Kind `json:"credential"`
		}
		_ = json.Unmarshal(p.SecurityConfig, &c) // it was checked when it was stored
		return string(cmp.Or(c.Credential, credential.JWT))
	}
	return ""
}

// Tokens returns what the plan asks of access tokens, nil where it takes none.
func (p *Plan) Tokens() *contract.Tokens {
	if p.Security != JWT && p.Security != OAuth2 {
		return nil
	}
	var c struct {
		Endpoint string   `json:"endpoint"`
		Scopes   []string `json:"scopes"`
		Audience []string `json:"audience"`
	}
	_ = json.Unmarshal(p.SecurityConfig, &c) // it was checked when it was stored
	return &contract.Tokens{Server: c.Endpoint, Scopes: c.Scopes, Audiences: c.Audience}
}

// Made are the policies that are made of a plan's limits; policies of a plan
// cannot have their names.
var Made = []string{rateLimitName, quotaName}

const (
	rateLimitName = "plan-rate-limit"
	quotaName     = "plan-quota"
)

// Unit returns the plan as gateways take it. mode says where limits count that do
// not say it themselves; "" leaves it to the gateway. all includes policies that
// are disabled, to be checked.
func (p *Plan) Unit(mode string, all bool) unit.Plan {
	u := unit.Plan{ID: p.ID, Name: p.Name, When: p.When}
	if kind := SecurityPolicy(p.Security); kind != "" {
		u.Security = &unit.Policy{Type: kind, Config: p.SecurityConfig}
	}
	u.Policies = append(p.Limits.units(p.Security, mode), policies.Units(p.Policies, all)...)
	return u
}

// Contract returns the plan as other services know it.
func (p *Plan) Contract(mode string) contract.Plan {
	return contract.Plan{
		ID: p.ID, API: p.API, Slug: p.Slug, Name: p.Name, Description: p.Description,
		Security: p.Security, Approval: p.Approval, Status: p.Status,
		Limits: p.Limits.Sentences(), KeyHeader: p.KeyHeader(), Credential: p.Credential(), Tokens: p.Tokens(), Unit: p.Unit(mode, false),
	}
}

// ForGateways chooses the plans of an API that gateways are to know, in order:
// those that are not closed. A keyless plan that is still a draft would open the
// API to everybody and is left out. An API whose plans are all left out must not
// become one without plans, which anybody may call: it gets one that fits nobody.
func ForGateways(all []Plan) []Plan {
	var out []Plan
	for _, p := range all {
		if p.Status == Closed || p.Status == Draft && p.Security == Keyless {
			continue
		}
		out = append(out, p)
	}
	if len(out) == 0 && len(all) > 0 {
		last := all[len(all)-1]
		last.Security, last.SecurityConfig, last.When = APIKey, nil, "false"
		last.Limits, last.Policies = Limits{}, nil
		out = append(out, last)
	}
	return out
}

// Order returns the plans in the order of the ids, which must name each once.
func Order(all []Plan, ids []string) ([]Plan, error) {
	byID := map[string]Plan{}
	for _, p := range all {
		byID[p.ID] = p
	}
	var fields []problem.Field
	out := make([]Plan, 0, len(all))
	for i, id := range ids {
		p, ok := byID[id]
		if !ok {
			detail := "the API has no plan with this id"
			if slices.Contains(ids[:i], id) {
				detail = "the plan is named before"
			}
			fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/plans/%d", i), Code: "reference", Detail: detail})
			continue
		}
		delete(byID, id)
		out = append(out, p)
	}
	if len(byID) > 0 {
		var missing []string
		for _, p := range all {
			if _, ok := byID[p.ID]; ok {
				missing = append(missing, p.Name+" ("+p.ID+")")
			}
		}
		fields = append(fields, problem.Field{Pointer: "/plans", Code: "required", Detail: "name every plan of the API; missing: " + strings.Join(missing, ", ")})
	}
	if len(fields) > 0 {
		return nil, problem.Invalid("the order is not right", fields...)
	}
	return out, nil
}
