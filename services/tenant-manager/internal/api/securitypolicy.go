package api

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

const day = 24 * time.Hour

// policyFields is what people may change of a policy.
type policyFields struct {
	PasswordMinLength    int      `json:"passwordMinLength"`
	MFA                  string   `json:"mfa"`
	MFAGraceDays         int      `json:"mfaGraceDays"`
	SessionIdleMinutes   int      `json:"sessionIdleMinutes"`
	SessionLifetimeHours int      `json:"sessionLifetimeHours"`
	AllowedAddresses     []string `json:"allowedAddresses"`
	TokenLifetimeDays    int      `json:"tokenLifetimeDays"`
	// PersonalTokens is what people may have.
	PersonalTokens personalTokens `json:"personalTokens"`
	// ServiceTokens says whether service accounts have any.
	ServiceTokens bool `json:"serviceTokens"`
	// Impersonation says whether anybody acts as somebody else.
	Impersonation bool          `json:"impersonation"`
	Lockout       lockoutPolicy `json:"lockout"`
}

// lockoutPolicy is how long somebody waits who guesses.
type lockoutPolicy struct {
	Tries          int `json:"tries"`
	FirstSeconds   int `json:"firstSeconds"`
	LongestMinutes int `json:"longestMinutes"`
}

func lockoutOf(p store.SecurityPolicy) lockoutPolicy {
	l := throttle.Account
	return lockoutPolicy{
		cmp.Or(p.LockoutTries, l.Free), cmp.Or(p.LockoutFirstSeconds, int(l.First/time.Second)), cmp.Or(p.LockoutLongestMinutes, int(l.Longest/time.Minute)),
	}
}

// limit returns the lockout as a limit of what is held against an account.
func (l lockoutPolicy) limit() throttle.Limit {
	out := throttle.Account
	out.Free, out.First, out.Longest = l.Tries, time.Duration(l.FirstSeconds)*time.Second, time.Duration(l.LongestMinutes)*time.Minute
	return out
}

type personalTokens struct {
	Allowed     bool `json:"allowed"`
	MaximumDays int  `json:"maximumDays"`
}

func fieldsOf(p store.SecurityPolicy) policyFields {
	return policyFields{
		max(p.PasswordMinLength, password.MinLength), p.MFA, p.MFAGraceDays, p.SessionIdleMinutes, p.SessionLifetimeHours,
		append([]string{}, p.AllowedAddresses...), p.TokenLifetimeDays,
		personalTokens{p.PersonalTokens, p.PersonalTokenDays},
		p.ServiceTokens, p.Impersonation, lockoutOf(p),
	}
}

// merge returns a policy as the body changes it. The error is a problem of the
// field.
func (h *Handlers) merge(ctx context.Context, p store.SecurityPolicy) (store.SecurityPolicy, error) {
	f, err := httpx.Merge(ctx, fieldsOf(p))
	if err != nil {
		return p, err
	}
	if f.PasswordMinLength == 0 { // null = the default
		f.PasswordMinLength = password.MinLength
	}
	if f.PersonalTokens.MaximumDays == 0 {
		f.PersonalTokens.MaximumDays = store.PersonalTokenDays
	}
	if f.MFA == "" {
		f.MFA = store.MFAOff
	}
	if time.Duration(f.Lockout.FirstSeconds)*time.Second > time.Duration(f.Lockout.LongestMinutes)*time.Minute {
		return p, invalid("/lockout/firstSeconds", "maximum", "the first wait cannot be longer than the longest, which is %d minutes", f.Lockout.LongestMinutes)
	}
	seen := map[netip.Prefix]bool{}
	list := []string{}
	for i, text := range f.AllowedAddresses {
		n, err := network(text)
		if err != nil {
			return p, invalid(fmt.Sprintf("/allowedAddresses/%d", i), "format", "%q is neither an address nor a network: use one such as 192.0.2.7 or 10.0.0.0/8", text)
		}
		if !seen[n] {
			seen[n] = true
			list = append(list, n.String())
		}
	}
	if f.MFA != p.MFA {
		p.MFASince = nil
		if f.MFA != store.MFAOff {
			now := h.store.Now()
			p.MFASince = &now
		}
	}
	p.PasswordMinLength, p.MFA, p.MFAGraceDays = f.PasswordMinLength, f.MFA, f.MFAGraceDays
	p.SessionIdleMinutes, p.SessionLifetimeHours = f.SessionIdleMinutes, f.SessionLifetimeHours
	p.AllowedAddresses, p.TokenLifetimeDays = list, f.TokenLifetimeDays
	p.PersonalTokens, p.PersonalTokenDays = f.PersonalTokens.Allowed, f.PersonalTokens.MaximumDays
	p.ServiceTokens, p.Impersonation = f.ServiceTokens, f.Impersonation
	p.LockoutTries, p.LockoutFirstSeconds, p.LockoutLongestMinutes = f.Lockout.Tries, f.Lockout.FirstSeconds, f.Lockout.LongestMinutes
	return p, nil
}

// network reads an address or a network.
func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

// within reports whether an address is in the list; an empty list holds all.
func within(list []string, address string) bool {
	if len(list) == 0 {
		return true
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false // fails closed
	}
	for _, text := range list {
		if p, err := network(text); err == nil && p.Contains(a.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// mostSessions bounds how many sessions are looked at to count whom a policy
// hits.
const mostSessions = 20_000

// hits counts whom a policy hits now.
func (h *Handlers) hits(ctx context.Context, org *store.Org, p store.SecurityPolicy) (SecurityPolicyHits, error) {
	users, err := org.ActiveUsers(ctx)
	if err != nil {
		return SecurityPolicyHits{}, err
	}
	out := SecurityPolicyHits{Users: int(users)}
	if p.PasswordMinLength > password.MinLength {
		out.PasswordMinLength = int(users)
	}
	if p.MFA != store.MFAOff {
		if out.Mfa, err = h.askedForFactor(ctx, org, p.MFA == store.MFAAdministrators); err != nil {
			return out, err
		}
	}
	if !p.Impersonation {
		may, err := h.impersonators(ctx, org)
		if err != nil {
			return out, err
		}
		out.Impersonation = may
	}
	now := h.store.Now()
	if p.TokenLifetimeDays > 0 {
		n, err := org.TokensBeyond(ctx, now.Add(time.Duration(p.TokenLifetimeDays)*day))
		if err != nil {
			return out, err
		}
		out.TokenLifetimeDays = int(n)
	}
	ended, err := org.PersonalTokensEnded(ctx, p)
	if err != nil {
		return out, err
	}
	out.PersonalTokens = int(ended)
	if !p.ServiceTokens {
		n, err := org.LiveServiceTokens(ctx)
		if err != nil {
			return out, err
		}
		out.ServiceTokens = int(n)
	}
	if out.Lockout, err = org.Guessed(ctx, accountName, lockoutOf(p).Tries, mostCounted); err != nil {
		return out, err
	}
	sessions, err := org.LiveSessions(ctx, mostSessions)
	if err != nil {
		return out, err
	}
	over, elsewhere := map[string]bool{}, map[string]bool{}
	for _, s := range sessions {
		if !now.Before(h.sessionEnd(s, p)) {
			over[s.UserID] = true
		}
		if !within(p.AllowedAddresses, s.IP) {
			elsewhere[s.UserID] = true
		}
	}
	out.Session = len(over)
	out.AllowedAddresses, err = h.countHeld(ctx, org, elsewhere)
	return out, err
}

// impersonators counts the active users who could act as somebody in the whole
// organization.
func (h *Handlers) impersonators(ctx context.Context, org *store.Org) (int, error) {
	ids, err := rights.Candidates(ctx, org, "user:impersonate")
	if err != nil {
		return 0, err
	}
	n, now := 0, h.store.Now()
	for some := range slices.Chunk(ids, 500) {
		held, err := rights.Holdings(ctx, org, some...)
		if err != nil {
			return n, err
		}
		known, err := rights.FindAll(ctx, org, some...)
		if err != nil {
			return n, err
		}
		for _, id := range some {
			if p := known[id]; p.Kind == authn.User && p.Active && slices.Contains(access.All(held[id], now), "user:impersonate") {
				n++
			}
		}
	}
	return n, nil
}

func (h *Handlers) policyOf(ctx context.Context, org *store.Org, p store.SecurityPolicy) (SecurityPolicy, error) {
	hits, err := h.hits(ctx, org, p)
	if err != nil {
		return SecurityPolicy{}, err
	}
	spared, err := org.BreakGlassUsers(ctx)
	f := fieldsOf(p)
	return SecurityPolicy{
		Version: p.Version, PasswordMinLength: f.PasswordMinLength, Mfa: MfaRequirement(f.MFA), MfaGraceDays: f.MFAGraceDays, MfaSince: utc(p.MFASince),
		SessionIdleMinutes: f.SessionIdleMinutes, SessionLifetimeHours: f.SessionLifetimeHours, AllowedAddresses: f.AllowedAddresses,
		TokenLifetimeDays: f.TokenLifetimeDays, PersonalTokens: PersonalTokenPolicy{Allowed: f.PersonalTokens.Allowed, MaximumDays: f.PersonalTokens.MaximumDays}, ServiceTokens: f.ServiceTokens,
		Impersonation: f.Impersonation, Lockout: LockoutPolicy{Tries: f.Lockout.Tries, FirstSeconds: f.Lockout.FirstSeconds, LongestMinutes: f.Lockout.LongestMinutes}, Hits: hits, BreakGlassUsers: int(spared),
	}, err
}

// GetSecurityPolicy returns the policy of the organization.
func (h *Handlers) GetSecurityPolicy(ctx context.Context, _ GetSecurityPolicyRequestObject) (GetSecurityPolicyResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	p, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	out, err := h.policyOf(ctx, org, p)
	return GetSecurityPolicy200JSONResponse{Body: out, Headers: GetSecurityPolicy200ResponseHeaders{ETag: etag(p.Version)}}, err
}

// PreviewSecurityPolicy counts whom a policy would hit.
func (h *Handlers) PreviewSecurityPolicy(ctx context.Context, _ PreviewSecurityPolicyRequestObject) (PreviewSecurityPolicyResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	p, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	if p, err = h.merge(ctx, p); err != nil {
		return nil, err
	}
	hits, err := h.hits(ctx, org, p)
	return PreviewSecurityPolicy200JSONResponse(hits), err
}

// UpdateSecurityPolicy changes the policy of the organization.
func (h *Handlers) UpdateSecurityPolicy(ctx context.Context, r UpdateSecurityPolicyRequestObject) (UpdateSecurityPolicyResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var out SecurityPolicy
	err = h.change(ctx, func(tx *store.Tx) error {
		was, err := tx.SecurityPolicy(ctx)
		if err != nil {
			return err
		}
		p, err := h.merge(ctx, was)
		if err != nil {
			return err
		}
		if own := httpx.Address(ctx); !within(p.AllowedAddresses, own) && !deref(r.Params.ConfirmLockout) {
			return invalid("/allowedAddresses", "lockout", "this would lock you out: your own address is %s", own)
		}
		p.Version = version
		if err := tx.SaveSecurityPolicy(ctx, &p); err != nil {
			return err
		}
		if was.Impersonation && !p.Impersonation {
			if _, err := tx.EndImpersonations(ctx); err != nil {
				return err
			}
		}
		if was.ServiceTokens != p.ServiceTokens || was.PersonalTokens != p.PersonalTokens || was.PersonalTokenDays != p.PersonalTokenDays {
			if err := tx.AccessChanged("", ""); err != nil {
				return err
			}
		}
		if err := h.record(ctx, tx, "security-policy.updated", "organization", tx.ID(), "", fieldsOf(was), fieldsOf(p)); err != nil {
			return err
		}
		out, err = h.policyOf(ctx, tx.Org, p)
		return err
	})
	return UpdateSecurityPolicy200JSONResponse{Body: out, Headers: UpdateSecurityPolicy200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// lacksFactor reports whether a user has still to set up a second factor, because
// the policy asks for one and the time to do so is over.
func (h *Handlers) lacksFactor(ctx context.Context, org *store.Org, u store.User, p store.SecurityPolicy) (bool, error) {
	if p.MFA == store.MFAOff || u.SetupPending {
		return false, nil
	}
	begin := u.CreatedAt
	if p.MFASince != nil && p.MFASince.After(begin) {
		begin = *p.MFASince
	}
	if h.store.Now().Before(begin.Add(time.Duration(p.MFAGraceDays) * day)) {
		return false, nil
	}
	has, err := org.HasFactors(ctx, u.ID)
	if err != nil || has[u.ID] {
		return false, err
	}
	held, err := rights.Of(ctx, org, u.ID)
	if err != nil {
		return false, err
	}
	asked := p.MFA != store.MFAAdministrators || access.Administers(held, h.store.Now())
	return asked && !spares(u, held, h.store.Now()), nil
}

// bound returns the addresses from which a user may use the consoles; none where
// from everywhere, as for who only uses APIs.
func (h *Handlers) bound(ctx context.Context, org *store.Org, u store.User, p store.SecurityPolicy) ([]string, error) {
	if len(p.AllowedAddresses) == 0 {
		return nil, nil
	}
	held, err := rights.Of(ctx, org, u.ID)
	if err != nil || !binds(u, held, h.store.Now()) {
		return nil, err
	}
	return p.AllowedAddresses, nil
}

// breakGlass reports whether the policy cannot lock a user out: the mark counts
// only as long as they are an owner.
func (h *Handlers) breakGlass(ctx context.Context, org *store.Org, u store.User) (bool, error) {
	if !u.BreakGlass {
		return false, nil
	}
	held, err := rights.Of(ctx, org, u.ID)
	return spares(u, held, h.store.Now()), err
}

// comesFrom returns a problem where a user may not come from the address of this
// request. Requests of the suite itself, which have none, are let through: it is
// the bff that holds sessions of browsers to the list.
func (h *Handlers) comesFrom(ctx context.Context, org *store.Org, u store.User, p store.SecurityPolicy) error {
	list, err := h.bound(ctx, org, u, p)
	if err != nil {
		return err
	}
	if from := httpx.Address(ctx); from != "" && !within(list, from) {
		return problem.New(problem.CodeAddressDenied, "your organization does not let people sign in from %s: use its network, or ask an administrator", from)
	}
	return nil
}

// accountName is what wrong passwords for an e-mail address are held against.
func accountName(email string) string { return "account " + store.FoldEmail(email) }

// guesses returns what wrong passwords for an e-mail address are held against, and
// how. Whose rules these are depends on the address and the organization that is
// named, and not on whether there is such an account: those of the organization that
// has the domain, else of the first one. From a known device they are held against that;
// see ofDevice.
func (h *Handlers) guesses(ctx context.Context, email, slug string) (out store.Limited, known bool, err error) {
	organization, _, err := h.looksAfter(ctx, email, slug)
	if err != nil {
		return out, false, err
	}
	p, err := h.store.For(organization).SecurityPolicy(ctx)
	if err != nil {
		return out, false, err
	}
	limit := lockoutOf(p).limit()
	if out, known, err = h.ofDevice(ctx, email, slug, limit); err != nil || known {
		return out, known, err
	}
	return store.Limited{Name: accountName(email), Limit: limit}, false, nil
}

// looksAfter returns the organization that looks after an e-mail address, whether somebody
// has it or not: the one that is named, else the one that has the domain, which is
// returned too, else the first one.
func (h *Handlers) looksAfter(ctx context.Context, email, slug string) (organization, domain string, err error) {
	if slug != "" {
		o, err := h.store.OrganizationBySlug(ctx, slug)
		if err != nil && !store.IsNotFound(err) {
			return "", "", err
		}
		organization = o.ID
	}
	d, err := h.store.VerifiedDomain(ctx, sso.Domain(email))
	if err != nil && !store.IsNotFound(err) {
		return "", "", err
	}
	if organization == "" {
		organization = d.OrganizationID
	}
	if organization == d.OrganizationID {
		domain = d.Domain
	}
	if organization == "" {
		organization, err = h.store.First(ctx)
		return organization, "", err
	}
	return organization, domain, nil
}
