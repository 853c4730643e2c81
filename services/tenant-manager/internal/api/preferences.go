package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/preferences"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// prefers returns a problem where the caller has no preferences: programs have none,
// and who has yet to show a second factor sees none.
func (h *Handlers) prefers(ctx context.Context, p authn.Principal) error {
	if p.Kind != authn.User {
		return problem.New(problem.CodeAccessDenied, "only people have preferences: sign in as one")
	}
	return h.waitsForNothing(ctx, p)
}

// GetMyPreferences returns what the caller prefers on the screens.
func (h *Handlers) GetMyPreferences(ctx context.Context, _ GetMyPreferencesRequestObject) (GetMyPreferencesResponseObject, error) {
	p := caller(ctx)
	if err := h.prefers(ctx, p); err != nil {
		return nil, err
	}
	kept, err := h.mine(ctx).Preferences(ctx, p.Subject)
	return GetMyPreferences200JSONResponse{Body: preferencesOf(kept), Headers: GetMyPreferences200ResponseHeaders{ETag: etag(kept.Version)}}, err
}

// UpdateMyPreferences changes what the caller prefers. It is not in the audit trail:
// it is about nobody else, and changes what nobody may do.
func (h *Handlers) UpdateMyPreferences(ctx context.Context, r UpdateMyPreferencesRequestObject) (UpdateMyPreferencesResponseObject, error) {
	p := caller(ctx)
	if err := h.prefers(ctx, p); err != nil {
		return nil, err
	}
	if err := authn.InPerson(ctx); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var kept store.Preferences
	err = h.change(ctx, func(tx *store.Tx) error {
		was, err := tx.LockPreferences(ctx, p.Subject)
		if err != nil {
			return err
		}
		document, err := httpx.Merge(ctx, was.Document)
		if err != nil {
			return err
		}
		if err := preferences.Settle(was.Document, &document); err != nil {
			return err
		}
		kept, err = tx.SavePreferences(ctx, p.Subject, was, version, document)
		return err
	})
	return UpdateMyPreferences200JSONResponse{Body: preferencesOf(kept), Headers: UpdateMyPreferences200ResponseHeaders{ETag: etag(kept.Version)}}, err
}

func preferencesOf(p store.Preferences) Preferences {
	d := p.Document
	out := Preferences{
		Version: p.Version, Theme: ptr(PreferencesTheme(d.Theme)), Contrast: ptr(PreferencesContrast(d.Contrast)), Density: ptr(PreferencesDensity(d.Density)),
		Shortcuts: d.Shortcuts, NavCollapsed: d.NavCollapsed, Utc: d.UTC, Language: d.Language,
	}
	if len(d.Lists) == 0 {
		return out
	}
	lists := map[string]ListPreferences{}
	for name, l := range d.Lists {
		list := ListPreferences{Columns: some(l.Columns), DefaultView: ptr(l.DefaultView)}
		if len(l.Views) > 0 {
			views := map[string]SavedView{}
			for id, v := range l.Views {
				views[id] = SavedView{Name: v.Name, Query: v.Query, Sort: ptr(v.Sort), Columns: some(v.Columns)}
			}
			list.Views = &views
		}
		lists[name] = list
	}
	out.Lists = &lists
	return out
}
