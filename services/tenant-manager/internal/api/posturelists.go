package api

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// administrators lists who administers something of the organization, with those who do
// by a group: those whom the security policy means by administrators.
func (p *posture) administrators(ctx context.Context) error {
	held, err := rights.Administrators(ctx, p.org)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(held))
	list := []PostureAdministrator{}
	var without []PostureItem
	var admins, owners int64
	isOwner := map[string]bool{}
	for some := range slices.Chunk(ids, mostAtOnce) {
		people, err := p.org.UsersByID(ctx, some)
		if err != nil {
			return err
		}
		accounts, err := p.org.ServiceAccountsByID(ctx, some)
		if err != nil {
			return err
		}
		factors, err := p.org.HasFactors(ctx, some...)
		if err != nil {
			return err
		}
		for _, u := range people {
			if u.Status != store.Active {
				continue
			}
			admins++
			if isOwner[u.ID] = access.IsOwner(held[u.ID], p.now); isOwner[u.ID] {
				owners++
			}
			g := mightiest(held[u.ID], p.now)
			if !factors[u.ID] {
				without = append(without, item("user", u.ID, u.Name, g.Role, u.LastSignInAt))
			}
			a := administratorOf(Principal{Kind: "user", Id: u.ID, Name: u.Name}, g)
			a.Factor, a.BreakGlass, a.LastSignInAt = factors[u.ID], ptr(spares(u, held[u.ID], p.now)), utc(u.LastSignInAt)
			list = append(list, a)
		}
		for _, a := range accounts {
			if a.Status == store.Active {
				list = append(list, administratorOf(Principal{Kind: "service-account", Id: a.ID, Name: a.Name}, mightiest(held[a.ID], p.now)))
			}
		}
	}
	slices.SortFunc(list, func(a, b PostureAdministrator) int {
		if isOwner[a.Principal.Id] != isOwner[b.Principal.Id] {
			if isOwner[a.Principal.Id] {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Principal.Name, b.Principal.Name))
	})
	list = list[:min(len(list), mostLooked)]
	p.out.Administrators = &list
	f := p.found("administrators-without-factor", severityCritical, int64(len(without)),
		"These people may change who gets in here and what they may do, and only a password keeps others from being them.",
		"Have them set up a passkey or an authenticator app in their account, or ask administrators for a second factor in the security policy.", without...)
	f.Of = &admins
	few := int64(0)
	if owners < 2 {
		few = 1
	}
	f = p.found("few-owners", severityWarning, few,
		"Only one person is owner: if they lose their password and their devices, nobody can let them in again.",
		"Make a second person owner, or an account that is kept in a safe (break-glass).")
	f.Of = &owners
	return nil
}

func administratorOf(p Principal, g access.Grant) PostureAdministrator {
	out := PostureAdministrator{Principal: p, Role: g.Role, ExpiresAt: end(g.ExpiresAt)}
	if len(g.Via) > 0 {
		out.Group = ptr(g.Via[len(g.Via)-1].Name)
	}
	return out
}

// mightiest returns the grant that makes most of an administrator: one that gives
// everything, in the whole organization, for good.
func mightiest(h access.Holding, now time.Time) access.Grant {
	var best access.Grant
	most := -1
	for _, g := range h.Grants {
		if g.Deny || g.Ended(now) || !access.Administers(access.Holding{Grants: []access.Grant{g}}, now) {
			continue
		}
		might := 0
		for worth, is := range map[int]bool{4: access.Everything(g.Permissions), 2: g.Scope == (access.Scope{}), 1: g.ExpiresAt.IsZero()} {
			if is {
				might += worth
			}
		}
		if might > most {
			best, most = g, might
		}
	}
	return best
}

// certificateEnd returns when the certificates of a SAML connection end, ours and the
// provider's, whichever is sooner: the last of each, because one is followed by another.
func certificateEnd(c store.SSOConnection) *time.Time {
	if c.Settings.SAML == nil {
		return nil
	}
	var end *time.Time
	for _, e := range deref(ssoEndsOf(c)) {
		if end == nil || e.At.Before(*end) {
			end = ptr(e.At)
		}
	}
	return utc(end)
}

func (p *posture) connections(ctx context.Context) error {
	rows, err := p.org.SSOConnections(ctx)
	if err != nil {
		return err
	}
	list := []PostureConnection{}
	var failing, expiring []PostureItem
	for _, c := range rows {
		s := PostureConnection{Id: c.ID, Name: c.Name, Kind: c.Kind, Enabled: c.Enabled, CertificateExpiresAt: certificateEnd(c)}
		if s.LastSuccessAt, err = p.org.LastSSOSignIn(ctx, c.ID); err != nil {
			return err
		}
		s.LastSuccessAt = utc(s.LastSuccessAt)
		refusal, err := p.org.LastRefusal(ctx, "sso-connection.sign-in", c.ID)
		switch {
		case err == nil:
			s.LastFailureAt = utc(&refusal.Time)
			for _, f := range refusal.Changes {
				var why string
				if f.Field == "/reason" && json.Unmarshal([]byte(f.After), &why) == nil {
					s.LastFailure = ptr(why)
				}
			}
			if s.Refusals, err = p.org.RefusalsOf(ctx, "sso-connection.sign-in", c.ID, p.now.Add(-7*day)); err != nil {
				return err
			}
		case !store.IsNotFound(err):
			return err
		}
		if c.Settings.SAML != nil {
			s.MetadataError = ptr(c.Settings.SAML.FetchError)
		}
		list = append(list, s)
		if !c.Enabled {
			continue
		}
		failed := s.LastFailureAt != nil && p.now.Sub(*s.LastFailureAt) < 7*day && (s.LastSuccessAt == nil || s.LastFailureAt.After(*s.LastSuccessAt))
		switch {
		case s.MetadataError != nil:
			failing = append(failing, item("sso-connection", c.ID, c.Name, *s.MetadataError, nil))
		case failed:
			failing = append(failing, item("sso-connection", c.ID, c.Name, deref(s.LastFailure), s.LastFailureAt))
		}
		if s.CertificateExpiresAt != nil && s.CertificateExpiresAt.Sub(p.now) < expiresSoon {
			expiring = append(expiring, item("sso-connection", c.ID, c.Name, "", s.CertificateExpiresAt))
		}
	}
	p.out.Connections = &list
	p.found("connections-failing", severityWarning, int64(len(failing)),
		"The last who tried to sign in by these connections were refused, or what the provider says of itself cannot be fetched.",
		"Test the connection on its page: it shows what the provider says, and what is missing.", failing...)
	p.found("certificates-expiring", severityWarning, int64(len(expiring)),
		"After their certificate ends, nobody can sign in by these connections.",
		"Get new metadata from the provider, or renew the certificate and give it to the provider.", expiring...)
	return p.connectionMakers(ctx, rows)
}

func (p *posture) directories(ctx context.Context) error {
	rows, err := p.org.SCIMDirectories(ctx)
	if err != nil {
		return err
	}
	list := []PostureDirectory{}
	var failing []PostureItem
	for _, d := range rows {
		s := PostureDirectory{Id: d.ID, Name: d.Name, Enabled: d.Enabled, LastUsedAt: utc(d.LastUsedAt), FailedAt: utc(d.FailedAt), Failure: ptr(d.Failure)}
		tokens, err := p.org.SCIMTokens(ctx, d.ID)
		if err != nil {
			return err
		}
		for _, k := range tokens {
			if k.ExpiresAt == nil {
				s.TokenExpiresAt = nil
				break
			}
			if s.TokenExpiresAt == nil || k.ExpiresAt.After(*s.TokenExpiresAt) {
				s.TokenExpiresAt = utc(k.ExpiresAt)
			}
		}
		list = append(list, s)
		if !d.Enabled {
			continue
		}
		switch {
		case d.FailedAt != nil && p.now.Sub(*d.FailedAt) < day:
			failing = append(failing, item("scim-directory", d.ID, d.Name, d.Failure, d.FailedAt))
		case d.LastUsedAt != nil && p.now.Sub(*d.LastUsedAt) > silentFor:
			failing = append(failing, item("scim-directory", d.ID, d.Name, "it has not asked for anything since", d.LastUsedAt))
		case s.TokenExpiresAt != nil && s.TokenExpiresAt.Sub(p.now) < endsSoon:
			failing = append(failing, item("scim-directory", d.ID, d.Name, "its token ends", s.TokenExpiresAt))
		}
	}
	p.out.Directories = &list
	p.found("directories-failing", severityWarning, int64(len(failing)),
		"These directories were refused something in the last day, have been silent for a week, or their token ends: people who left may still have their account.",
		"Look at the provisioning log of the identity provider; make a new token where it ends.", failing...)
	return p.directoryMakers(ctx, rows)
}
