package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// EndingsEvery is how often it is looked for what ends soon.
const EndingsEvery = 10 * time.Minute

// endingDays are how many days before its end it is told of what ends.
var endingDays = []int{1, 7, 30}

// endingWords say how it is told of a kind: by which letter, as which entry of the
// trail, and of what.
type endingWords struct{ letter, action, target string }

var endingKinds = map[string]endingWords{
	store.EndingClientSecret:  {mail.ClientSecretEnds, "oauth-client.secret-ending", "oauth-client"},
	store.EndingPersonalToken: {mail.TokenEnds, "user.token-ending", "user"},
	store.EndingServiceToken:  {mail.ServiceTokenEnds, "service-account.token-ending", "service-account"},
	store.EndingSCIMToken:     {mail.SCIMTokenEnds, "scim-directory.token-ending", "scim-directory"},
	store.EndingProvider:      {mail.CertificateEnds, "sso-connection.certificate-ending", "sso-connection"},
	store.EndingOwn:           {mail.CertificateEnds, "sso-connection.certificate-ending", "sso-connection"},
	store.EndingAuthority:     {mail.CertificateEnds, "sso-connection.certificate-ending", "sso-connection"},
}

// TellOfEndings tells whoever is responsible of secrets, tokens and certificates that
// end soon: by mail, and in the trail, from which webhooks come. Each time once,
// however many instances there are, and however long none ran: then it is told of the
// days that are left.
func (h *Handlers) TellOfEndings(ctx context.Context) error {
	var errs []error
	tell := func(e store.Ending, days int) {
		err := h.store.Tx(ctx, e.OrganizationID, "", func(tx *store.Tx) error { return h.tellOfEnding(ctx, tx, e, days) })
		if err != nil && !errors.Is(err, db.ErrDuplicate) { // another instance was faster
			errs = append(errs, fmt.Errorf("%s %s: %w", e.Kind, e.ID, err))
		}
	}
	for _, kind := range []string{store.EndingClientSecret, store.EndingPersonalToken, store.EndingServiceToken, store.EndingSCIMToken} {
		fewer := 0
		for _, days := range endingDays {
			rows, err := h.store.Endings(ctx, kind, fewer, days)
			errs = append(errs, err)
			for _, e := range rows {
				tell(e, days)
			}
			fewer = days
		}
	}
	rows, err := h.store.CertifiedConnections(ctx)
	errs = append(errs, err)
	for _, c := range rows {
		for _, e := range certificateEndings(c) {
			if days := daysLeft(e.EndsAt, h.store.Now()); days > 0 {
				told, err := h.store.For(e.OrganizationID).NoticedEnding(ctx, e, days)
				if errs = append(errs, err); err == nil && !told {
					tell(e, days)
				}
			}
		}
	}
	return errors.Join(errs...)
}

// daysLeft returns within how many of the days something ends; 0 = not soon, or it
// has ended.
func daysLeft(end, now time.Time) int {
	if !end.After(now) {
		return 0
	}
	for _, days := range endingDays {
		if !end.After(now.AddDate(0, 0, days)) {
			return days
		}
	}
	return 0
}

func certificateEndings(c store.SSOConnection) []store.Ending {
	kinds := map[SsoEndWhat]string{ProviderCertificate: store.EndingProvider, OwnCertificate: store.EndingOwn, Authority: store.EndingAuthority}
	ends := ssoEndsOf(c)
	if ends == nil {
		return nil
	}
	out := make([]store.Ending, len(*ends))
	for i, e := range *ends {
		out[i] = store.Ending{Kind: kinds[e.What], ID: c.ID, OrganizationID: c.OrganizationID, OwnerID: c.ID, Name: c.Name, EndsAt: e.At, CreatedBy: c.SavedBy}
	}
	return out
}

// tellOfEnding tells of something that ends, if nobody was told so before.
func (h *Handlers) tellOfEnding(ctx context.Context, tx *store.Tx, e store.Ending, days int) error {
	first, err := tx.NoticeEnding(ctx, e, days)
	if err != nil || !first {
		return err
	}
	// Who made it for so short a time knows.
	if !e.CreatedAt.IsZero() && !e.EndsAt.After(e.CreatedAt.AddDate(0, 0, days+1)) {
		return nil
	}
	o, err := tx.Organization(ctx)
	if err != nil || o.Suspended || o.DeletedAt != nil {
		return err
	}
	owner, people, err := h.responsible(ctx, tx, e)
	if err != nil || owner == "" { // it is of nobody any more
		return err
	}
	words := endingKinds[e.Kind]
	for _, u := range people {
		name := e.Name
		if name == "" {
			name = e.Hint
		}
		_, err := h.post(ctx, tx, words.letter, u.Email, false, mail.Data{Name: u.Name, Token: name, What: owner, Until: e.EndsAt.UTC(), Language: u.Language})
		if err != nil {
			return err
		}
	}
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: words.action, Target: audit.Target{Kind: words.target, ID: e.OwnerID, Name: owner}, Organization: tx.ID(),
		After: struct {
			Kind   string    `json:"kind"`
			Name   string    `json:"name"`
			Hint   string    `json:"hint,omitempty"`
			EndsAt time.Time `json:"endsAt"`
			Days   int       `json:"days"`
		}{e.Kind, e.Name, e.Hint, e.EndsAt.UTC(), days},
	})
}

// responsible returns whose it is, "" where that is gone or disabled, and who is told:
// of a personal token its user, of all else whoever made it while they can sign in,
// and the owners of the organization else.
func (h *Handlers) responsible(ctx context.Context, tx *store.Tx, e store.Ending) (owner string, people []store.User, err error) {
	switch e.Kind {
	case store.EndingPersonalToken:
		u, err := tx.User(ctx, e.OwnerID)
		if err != nil || u.Status != store.Active {
			return "", nil, store.IgnoreNotFound(err)
		}
		if u.Email != "" {
			people = append(people, u)
		}
		return u.Name, people, nil
	case store.EndingClientSecret:
		c, err := tx.OAuthClient(ctx, e.OwnerID)
		if err != nil || c.Status != store.Active {
			return "", nil, store.IgnoreNotFound(err)
		}
		owner = c.Name
	case store.EndingServiceToken:
		a, err := tx.ServiceAccount(ctx, e.OwnerID)
		if err != nil || a.Status != store.Active {
			return "", nil, store.IgnoreNotFound(err)
		}
		owner = a.Name
	case store.EndingSCIMToken:
		d, err := tx.SCIMDirectory(ctx, e.OwnerID)
		if err != nil || !d.Enabled {
			return "", nil, store.IgnoreNotFound(err)
		}
		owner = d.Name
	default:
		owner = e.Name
	}
	maker, err := tx.UsersByID(ctx, []string{e.CreatedBy})
	if err != nil {
		return "", nil, err
	}
	mailed := func(u store.User) bool { return u.Email != "" && u.Status == store.Active }
	if slices.ContainsFunc(maker, mailed) {
		return owner, maker, nil
	}
	owners, err := tx.Owners(ctx, "", "")
	if err != nil {
		return "", nil, err
	}
	people, err = tx.UsersByID(ctx, owners)
	return owner, slices.DeleteFunc(people, func(u store.User) bool { return !mailed(u) }), err
}
