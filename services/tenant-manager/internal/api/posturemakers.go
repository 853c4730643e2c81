package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// lapsed says of those who made something why they could not make it now, by their id:
// they are gone, or have lost the permission. What nobody is known to have made has
// not lapsed.
func (p *posture) lapsed(ctx context.Context, makers []string, permission string) (map[string]string, error) {
	slices.Sort(makers)
	makers = slices.DeleteFunc(slices.Compact(makers), func(id string) bool { return id == "" })
	if len(makers) == 0 {
		return nil, nil
	}
	users, err := p.org.UsersByID(ctx, makers)
	if err != nil {
		return nil, err
	}
	accounts, err := p.org.ServiceAccountsByID(ctx, makers)
	if err != nil {
		return nil, err
	}
	status := map[string]string{}
	for _, u := range users {
		status[u.ID] = u.Status
	}
	for _, a := range accounts {
		status[a.ID] = a.Status
	}
	held, err := rights.Holdings(ctx, p.org, makers...)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, id := range makers {
		switch of, there := status[id]; {
		case !there || of == store.Deleted:
			out[id] = "whoever made it was deleted"
		case of != store.Active:
			out[id] = "whoever made it was disabled"
		case access.Missing(held[id], []string{permission}, access.Scope{}, noEnd, p.now) != "":
			out[id] = "whoever made it has lost " + permission
		}
	}
	return out, nil
}

// connectionMakers looks for connections that nobody vouches for any more.
func (p *posture) connectionMakers(ctx context.Context, rows []store.SSOConnection) error {
	var makers []string
	for _, c := range rows {
		makers = append(makers, c.SavedBy)
	}
	why, err := p.lapsed(ctx, makers, "sso-connection:update")
	if err != nil {
		return err
	}
	var items []PostureItem
	for _, c := range rows {
		if why := why[c.SavedBy]; why != "" && c.Enabled {
			items = append(items, item("sso-connection", c.ID, c.Name, why, nil))
		}
	}
	p.found("connections-unvouched", severityWarning, int64(len(items)),
		"These connections let nobody in who may do more than whoever saved them last, and that person is gone or may do less by now: some people may be refused.",
		"Open each, look whether the provider is still yours, and save it again: you vouch for it then.", items...)
	return nil
}

// directoryMakers looks for directories that nobody vouches for any more.
func (p *posture) directoryMakers(ctx context.Context, rows []store.SCIMDirectory) error {
	var makers []string
	for _, d := range rows {
		makers = append(makers, d.SavedBy)
	}
	why, err := p.lapsed(ctx, makers, "scim:update")
	if err != nil {
		return err
	}
	var items []PostureItem
	for _, d := range rows {
		if why := why[d.SavedBy]; why != "" && d.Enabled {
			items = append(items, item("scim-directory", d.ID, d.Name, why, nil))
		}
	}
	p.found("directories-unvouched", severityWarning, int64(len(items)),
		"These directories change no account that may do more than whoever saved them last, and that person is gone or may do less by now: people who left may keep their account.",
		"Open each, look whether it is still needed, and save it again: you vouch for it then.", items...)
	return nil
}

// tokenMakers looks for tokens of service accounts whose makers are gone: whoever has
// copied one still has it.
func (p *posture) tokenMakers(ctx context.Context) error {
	rows, err := p.org.TokenMakers(ctx, mostLooked)
	if err != nil {
		return err
	}
	makers, accounts := []string{}, []string{}
	for _, r := range rows {
		makers, accounts = append(makers, r.CreatedBy), append(accounts, r.ServiceAccountID)
	}
	why, err := p.lapsed(ctx, makers, "service-account:update")
	if err != nil {
		return err
	}
	called, err := names(ctx, p.org, accounts)
	if err != nil {
		return err
	}
	var items []PostureItem
	count := int64(0)
	for _, r := range rows {
		if why := why[r.CreatedBy]; why != "" {
			count += r.Count
			items = append(items, item("service-account", r.ServiceAccountID, called[r.ServiceAccountID], r.Name+": "+why, nil))
		}
	}
	p.found("tokens-of-gone-makers", severityNotice, count,
		"Who made these tokens has seen them, and is gone or may not make such tokens any more. The tokens still work.",
		"Make a new token for each program that still needs one, put it in its place, and revoke the old one.", items...)
	return nil
}
