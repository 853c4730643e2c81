package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/domains"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListDomains returns a page of the organization's domains.
func (h *Handlers) ListDomains(ctx context.Context, r ListDomainsRequestObject) (ListDomainsResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	p := r.Params
	request := httpx.Page(p.Cursor, p.Limit, p.Sort)
	if request.Sort == "" {
		request.Sort = "domain"
	}
	org := h.mine(ctx)
	page, err := org.Domains(ctx, store.DomainFilter{Search: strings.TrimSpace(deref(p.Q)), Status: string(deref(p.Status))}, request)
	if err != nil {
		return nil, err
	}
	out := DomainList{Items: make([]Domain, len(page.Items)), Next: ptr(page.Next)}
	names, err := h.domainNames(ctx, org, page.Items...)
	for i, d := range page.Items {
		out.Items[i] = names.of(d)
	}
	return ListDomains200JSONResponse(out), err
}

// domainNames are the names of what domains refer to.
type domainNames struct {
	connections map[string]store.SSOConnection
	directories map[string]store.SCIMDirectory
	groups      map[string]string
}

func (h *Handlers) domainNames(ctx context.Context, org *store.Org, rows ...store.Domain) (domainNames, error) {
	out := domainNames{map[string]store.SSOConnection{}, map[string]store.SCIMDirectory{}, map[string]string{}}
	var groups []string
	uses := false
	for _, d := range rows {
		groups = append(groups, d.SSOGroups...)
		uses = uses || d.ConnectionID != "" || d.DirectoryID != ""
	}
	found, err := org.GroupsByID(ctx, groups)
	if err != nil {
		return out, err
	}
	for _, g := range found {
		out.groups[g.ID] = g.Name
	}
	if !uses {
		return out, nil
	}
	connections, err := org.SSOConnections(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range connections {
		out.connections[c.ID] = c
	}
	directories, err := org.SCIMDirectories(ctx)
	for _, d := range directories {
		out.directories[d.ID] = d
	}
	return out, err
}

func (n domainNames) of(d store.Domain) Domain {
	out := Domain{
		Id: d.ID, Version: d.Version, Domain: d.Domain, Status: DomainStatus(d.Status()), SingleSignOn: SignInRule(d.SingleSignOn), Groups: []DomainUse{},
		Record:     DomainRecord{Type: "TXT", Name: domains.RecordName(d.Domain), Value: d.RecordValue},
		VerifiedAt: utc(d.VerifiedAt), CheckedAt: utc(d.CheckedAt), NextCheckAt: utc(d.NextCheckAt), LostAt: utc(d.LostAt),
		CreatedAt: d.CreatedAt.UTC(), CreatedBy: d.CreatedBy,
	}
	if d.Method != "" {
		out.Method = ptr(DomainMethod(d.Method))
	}
	if d.Failure != "" {
		out.Failure = ptr(DomainFailure(d.Failure))
	}
	if out.Status == store.DomainFailing {
		out.CountsUntil = ptr(d.LostAt.Add(domains.Grace).UTC())
	}
	if c, ok := n.connections[d.ConnectionID]; ok {
		out.Connection = &DomainUse{Id: c.ID, Name: c.Name, Enabled: &c.Enabled}
	}
	if s, ok := n.directories[d.DirectoryID]; ok {
		out.Directory = &DomainUse{Id: s.ID, Name: s.Name, Enabled: &s.Enabled}
	}
	for _, id := range d.SSOGroups {
		out.Groups = append(out.Groups, DomainUse{Id: id, Name: n.groups[id]})
	}
	return out
}

func (h *Handlers) domain(ctx context.Context, org *store.Org, id string) (Domain, error) {
	d, err := org.Domain(ctx, id)
	if err != nil {
		return Domain{}, err
	}
	names, err := h.domainNames(ctx, org, d)
	return names.of(d), err
}

// GetDomain returns a domain.
func (h *Handlers) GetDomain(ctx context.Context, r GetDomainRequestObject) (GetDomainResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	d, err := h.domain(ctx, h.mine(ctx), r.Id)
	return GetDomain200JSONResponse{Body: d, Headers: GetDomain200ResponseHeaders{ETag: etag(d.Version)}}, err
}

// domainName returns a domain as it is kept, or a problem of the field.
func domainName(pointer, name string) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if !domains.IsDomain(name) {
		return "", invalid(pointer, "format", "use a domain such as acme.example")
	}
	return name, nil
}

// ClaimDomain claims a domain.
func (h *Handlers) ClaimDomain(ctx context.Context, r ClaimDomainRequestObject) (ClaimDomainResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:create", authn.Scope{}); err != nil {
		return nil, err
	}
	name, err := domainName("/domain", r.Body.Domain)
	if err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (Domain, error) {
		if there, err := tx.DomainsNamed(ctx, []string{name}); err != nil || len(there) > 0 {
			return Domain{}, errors.Join(err, problem.New(problem.CodeConflict, "your organization claims %s already", name))
		}
		if err := h.claim(ctx, tx, name); err != nil {
			return Domain{}, err
		}
		d, err := tx.DomainNamed(ctx, name)
		return domainNames{}.of(d), err
	})
	return ClaimDomain201JSONResponse{Body: made, Headers: ClaimDomain201ResponseHeaders{ETag: etag(made.Version), Location: location("domains", made.Id)}}, err
}

// recordedDomain is what the audit trail says of a domain.
type recordedDomain struct {
	Domain       string   `json:"domain"`
	Status       string   `json:"status"`
	Method       string   `json:"method,omitempty"`
	Connection   string   `json:"connection,omitempty"`
	SingleSignOn string   `json:"singleSignOn"`
	Groups       []string `json:"groups"`
	Reason       string   `json:"reason,omitempty"`
}

func recordedDomainOf(d store.Domain) recordedDomain {
	return recordedDomain{Domain: d.Domain, Status: d.Status(), Method: d.Method, Connection: d.ConnectionID, SingleSignOn: d.SingleSignOn, Groups: notNil(d.SSOGroups)}
}

// claim claims those of the names that the organization does not claim yet. Whoever
// may say of any organization that it runs a domain says it of their own by naming
// it, as far as nobody else has it.
func (h *Handlers) claim(ctx context.Context, tx *store.Tx, names ...string) error {
	there, err := tx.DomainsNamed(ctx, names)
	if err != nil {
		return err
	}
	_, denied := h.platform(ctx, "platform:update")
	trusted := denied == nil && caller(ctx).Token == ""
	for _, name := range names {
		if slices.ContainsFunc(there, func(d store.Domain) bool { return d.Domain == name }) {
			continue
		}
		d, err := tx.ClaimDomain(ctx, name)
		if errors.Is(err, db.ErrDuplicate) {
			err = problem.New(problem.CodeConflict, "somebody has claimed %s at the same time: try again", name)
		}
		if err != nil {
			return err
		}
		taken, err := tx.DomainTaken(ctx, name)
		if err != nil {
			return err
		}
		if trusted && !taken {
			vouchFor(&d, h.store.Now())
			if err := tx.SaveDomain(ctx, &d); err != nil {
				return domainTaken(err)
			}
		}
		if err := h.record(ctx, tx, "domain.claimed", "domain", d.ID, d.Domain, nil, recordedDomainOf(d)); err != nil {
			return err
		}
	}
	return nil
}

func domainTaken(err error) error {
	if errors.Is(err, store.ErrDomainTaken) {
		return problem.New(problem.CodeConflict, "another organization has this domain: whoever runs the installation takes it from there")
	}
	return err
}

// UnclaimDomain gives a domain up.
func (h *Handlers) UnclaimDomain(ctx context.Context, r UnclaimDomainRequestObject) (UnclaimDomainResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil {
			return err
		}
		d, err := tx.Domain(ctx, r.Id)
		if err != nil {
			return err
		}
		if d.Required() {
			return ruleFirst(d)
		}
		if err := tx.UnclaimDomain(ctx, d.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "domain.unclaimed", "domain", d.ID, d.Domain, recordedDomainOf(d), nil)
	})
	return UnclaimDomain204Response{}, err
}

// ruleFirst is the problem of what a rule of sign-in is in the way of.
func ruleFirst(d store.Domain) error {
	return problem.New(problem.CodeConflict, "people of %s are let in by single sign-on alone: change that at the domain first, or they could not sign in", d.Domain)
}

// keepsRules returns a problem where a connection would no longer let in the people
// of a domain who are let in by it alone. It keeps changes of rules waiting.
func (h *Handlers) keepsRules(ctx context.Context, tx *store.Tx, before store.SSOConnection, enabled bool, names []string) error {
	if err := tx.LockOrganization(ctx); err != nil {
		return err
	}
	rows, err := tx.DomainsNamed(ctx, before.Domains)
	if err != nil {
		return err
	}
	for _, d := range rows {
		if d.Required() && (!enabled || !slices.Contains(names, d.Domain)) {
			return ruleFirst(d)
		}
	}
	return nil
}

// readDomains returns the domains that were named, sorted and each once, or a
// problem of the field.
func readDomains(named []string) ([]string, error) {
	var out []string
	for i, d := range named {
		name, err := domainName(fmt.Sprintf("/domains/%d", i), d)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// without returns the names that are not in the list, nil where all are.
func without(names, list []string) *[]string {
	var out []string
	for _, n := range names {
		if !slices.Contains(list, n) {
			out = append(out, n)
		}
	}
	return some(out)
}
