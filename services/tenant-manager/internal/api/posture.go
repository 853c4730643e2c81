package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// unusedFor is after how long something counts as not used any more, endsSoon
	// how long before the end of a token, and expiresSoon of a certificate, it is
	// told.
	unusedFor   = 90 * day
	endsSoon    = 14 * day
	expiresSoon = 30 * day
	// verifyEvery is how often the chain of the trail should be verified.
	verifyEvery = 30 * day
	// silentFor is after how long without a request a directory is thought to be
	// cut off.
	silentFor = 7 * day
	// looksAtOnce bounds the connections to the database that one overview takes.
	looksAtOnce = 3
	// manyUnknown is how many sign-ins in a day at addresses that nobody has are more
	// than mistakes.
	manyUnknown = 20
	// mostShown bounds what a finding names one by one.
	mostShown = 50
	// mostLooked bounds what is looked at for a finding.
	mostLooked = 500
)

// The severities of findings.
const (
	severityOK       = PostureSeverity("ok")
	severityNotice   = PostureSeverity("notice")
	severityWarning  = PostureSeverity("warning")
	severityCritical = PostureSeverity("critical")
)

var severities = []PostureSeverity{severityCritical, severityWarning, severityNotice, severityOK}

// posture is what is found, while it is looked for.
type posture struct {
	h   *Handlers
	org *store.Org
	now time.Time
	out Posture
}

// GetPosture says how well the organization is looked after. What the caller may not
// read is left out.
func (h *Handlers) GetPosture(ctx context.Context, _ GetPostureRequestObject) (GetPostureResponseObject, error) {
	if err := authn.Require(ctx, "audit:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org, now := h.mine(ctx), h.store.Now()
	var looks []func(*posture, context.Context) error
	for _, part := range []struct {
		permission string
		look       func(*posture, context.Context) error
	}{
		{"user:read", (*posture).users},
		{"role:read", (*posture).administrators},
		{"audit:read", (*posture).signIns},
		{"audit:read", (*posture).trail},
		{"user:read", (*posture).locked},
		{"sso-connection:read", (*posture).connections},
		{"scim:read", (*posture).directories},
		{"service-account:read", (*posture).tokens},
		{"oauth-client:read", (*posture).clientSecrets},
		{"role:read", (*posture).standing},
		{"role:read", (*posture).waiting},
		{"user:read", (*posture).mail},
	} {
		d, err := authn.Allow(ctx, part.permission, authn.Scope{})
		if err != nil {
			return nil, err
		}
		if d.Allowed {
			looks = append(looks, part.look)
		}
	}
	// Each part looks at tables of its own; together they wait as long as the longest.
	parts := make([]posture, len(looks))
	var all errgroup.Group
	all.SetLimit(looksAtOnce)
	for i, look := range looks {
		parts[i] = posture{h: h, org: org, now: now}
		all.Go(func() error { return look(&parts[i], ctx) })
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("looking at the posture: %w", err)
	}
	p := posture{out: Posture{At: now.UTC(), Findings: []PostureFinding{}}}
	for _, part := range parts {
		p.add(part.out)
	}
	slices.SortStableFunc(p.out.Findings, func(a, b PostureFinding) int {
		return slices.Index(severities, a.Severity) - slices.Index(severities, b.Severity)
	})
	return GetPosture200JSONResponse(p.out), nil
}

// add takes over what another part has found.
func (p *posture) add(o Posture) {
	p.out.Findings = append(p.out.Findings, o.Findings...)
	p.out.Users, p.out.SignIns, p.out.Audit = cmp.Or(p.out.Users, o.Users), cmp.Or(p.out.SignIns, o.SignIns), cmp.Or(p.out.Audit, o.Audit)
	p.out.Administrators, p.out.Connections = cmp.Or(p.out.Administrators, o.Administrators), cmp.Or(p.out.Connections, o.Connections)
	p.out.Directories = cmp.Or(p.out.Directories, o.Directories)
}

// found adds a finding; where there is nothing, it is in order.
func (p *posture) found(code string, severity PostureSeverity, count int64, means, advice string, items ...PostureItem) *PostureFinding {
	if count == 0 {
		severity = severityOK
	}
	if len(items) > mostShown {
		items = items[:mostShown]
	}
	p.out.Findings = append(p.out.Findings, PostureFinding{
		Code: PostureFindingCode(code), Severity: severity, Count: count, Means: means, Advice: advice, Items: append([]PostureItem{}, items...),
	})
	return &p.out.Findings[len(p.out.Findings)-1]
}

func item(kind, id, name, detail string, at *time.Time) PostureItem {
	return PostureItem{Kind: PostureItemKind(kind), Id: id, Name: name, Detail: ptr(detail), At: utc(at)}
}

func (p *posture) users(ctx context.Context) error {
	all, err := p.org.ActiveUsers(ctx)
	if err != nil {
		return err
	}
	p.out.Users = &all
	with, err := p.org.ActiveWithFactor(ctx)
	if err != nil {
		return err
	}
	f := p.found("users-without-factor", severityWarning, all-with,
		"These people sign in with nothing but a password, or with what their identity provider asks for: whoever learns the password is them.",
		"Ask everybody for a second factor in the security policy, with some days to set it up.")
	f.Of = &all
	return nil
}

// signIns counts sign-ins that were refused, day by day.
func (p *posture) signIns(ctx context.Context) error {
	const days = 7
	times := make([]time.Time, days+1)
	for i := range times {
		times[i] = p.now.Add(time.Duration(i-days) * day)
	}
	counts, err := p.org.Refusals(ctx, "user.signed-in", times...)
	if err != nil {
		return err
	}
	out := PostureSignIns{Days: make([]PostureSpan, days)}
	for i, n := range counts {
		out.Days[i] = PostureSpan{From: times[i].UTC(), To: times[i+1].UTC(), Count: n}
		out.Week += n
		out.Day = n
	}
	p.out.SignIns = &out
	tries, from, err := p.org.UnknownAccounts(ctx, unknownAccount, times[days-1])
	if err != nil {
		return err
	}
	severity := severityNotice // somebody has mistyped
	if tries >= manyUnknown {
		severity = severityWarning
	}
	p.found("unknown-accounts-tried", severity, tries,
		fmt.Sprintf("In the last 24 hours, sign-ins were tried with e-mail addresses that nobody has, from %d IP addresses. Many of them are somebody who tries passwords at guessed addresses.", from),
		"Look in the audit log where they come from, and ask everybody for a second factor: one password that is right among many tried is then not enough.")
	return nil
}

func (p *posture) trail(ctx context.Context) error {
	v, err := p.org.Verification(ctx)
	if err != nil {
		return err
	}
	p.out.Audit = &PostureAudit{Entries: v.Last, VerifiedAt: utc(v.At), Verified: ptr(v.Sequence), BrokenAt: ptr(v.BrokenAt)}
	broken, old := int64(0), int64(0)
	switch {
	case v.BrokenAt > 0:
		broken = 1
	case v.At == nil || p.now.Sub(*v.At) > verifyEvery:
		old = 1
	}
	p.found("audit-broken", severityCritical, broken,
		"An entry of the audit trail is not as it was written: somebody changed the database behind Gatehouse.",
		"Compare the trail with an export or a receiver, and find out who can write to the database.")
	p.found("audit-unverified", severityNotice, old,
		"Nobody has verified the chain of the audit trail for 30 days: a change of it would not have been noticed.",
		"Verify it on the page of the audit trail, or export it and run gatehouse audit verify.")
	return nil
}

// heldAgainst are the names of what failures of signing in are held against.
func heldAgainst(u store.User) []string {
	if u.Email == "" {
		return nil
	}
	return []string{"account " + store.FoldEmail(u.Email), "second factor of " + u.ID}
}

func (p *posture) locked(ctx context.Context) error {
	rows, err := p.org.LockedUsers(ctx, p.now.Add(-time.Hour), heldAgainst)
	if err != nil {
		return err
	}
	items := make([]PostureItem, len(rows))
	for i, r := range rows {
		items[i] = item("user", r.User.ID, r.User.Name, "", &r.Until)
	}
	p.found("accounts-locked", severityWarning, int64(len(rows)),
		"Too many wrong passwords or codes were tried for these accounts, so that each attempt has to wait.",
		"Ask the people whether it was them. If it was not, look in the audit trail for where the attempts come from.", items...)
	return nil
}

func (p *posture) tokens(ctx context.Context) error {
	ends, n, err := p.org.EndingTokens(ctx, p.now.Add(endsSoon), mostShown)
	if err != nil {
		return err
	}
	items, err := p.tokenItems(ctx, ends, func(k store.AgedToken) *time.Time { return k.ExpiresAt })
	if err != nil {
		return err
	}
	p.found("tokens-expiring", severityWarning, n,
		"These tokens end within 14 days. Programs that use them stop working then.",
		"Make a new token for each that is still needed, put it in its place, and revoke the old one.", items...)
	unused, n, err := p.org.StaleTokens(ctx, p.now.Add(-unusedFor), mostShown)
	if err != nil {
		return err
	}
	if items, err = p.tokenItems(ctx, unused, func(k store.AgedToken) *time.Time { return k.LastUsedAt }); err != nil {
		return err
	}
	p.found("tokens-unused", severityNotice, n,
		"Nobody has used these tokens for 90 days, and whoever finds one can.",
		"Revoke those that nobody misses, and give the others an end.", items...)
	accounts, n, err := p.org.UnusedAccounts(ctx, p.now.Add(-unusedFor), mostShown)
	if err != nil {
		return err
	}
	idle := make([]PostureItem, len(accounts))
	for i, a := range accounts {
		idle[i] = item("service-account", a.ID, a.Name, "", nil)
	}
	p.found("accounts-unused", severityNotice, n,
		"No token of these service accounts was used for 90 days, but they keep what they were given.",
		"Disable them; delete them when nobody has missed them for a while.", idle...)
	return p.tokenMakers(ctx)
}

func (p *posture) clientSecrets(ctx context.Context) error {
	ends, err := p.org.EndingOAuthSecrets(ctx, p.now.Add(expiresSoon), mostLooked)
	if err != nil {
		return err
	}
	ids := make([]string, len(ends))
	for i, s := range ends {
		ids[i] = s.ClientID
	}
	clients, err := p.org.OAuthClientsByID(ctx, ids)
	called := map[string]string{}
	for _, c := range clients {
		called[c.ID] = c.Name
	}
	items := make([]PostureItem, len(ends))
	for i, s := range ends {
		items[i] = item("oauth-client", s.ClientID, called[s.ClientID], cmp.Or(s.Name, s.Hint), s.ExpiresAt)
	}
	p.found("client-secrets-expiring", severityWarning, int64(len(ends)),
		"These OAuth2 clients have no secret that lasts longer than 30 days. Programs that use them get no tokens then.",
		"Add a second secret to each client that is still needed, put it into the program, and revoke the old one.", items...)
	return err
}

func (p *posture) tokenItems(ctx context.Context, tokens []store.AgedToken, at func(store.AgedToken) *time.Time) ([]PostureItem, error) {
	ids := make([]string, len(tokens))
	for i, k := range tokens {
		ids[i] = k.OwnerID
	}
	called, err := names(ctx, p.org, ids)
	out := make([]PostureItem, len(tokens))
	for i, k := range tokens {
		kind := "user"
		if k.Service {
			kind = "service-account"
		}
		out[i] = item(kind, k.OwnerID, called[k.OwnerID], k.Name, at(k))
	}
	return out, err
}

func (p *posture) standing(ctx context.Context) error {
	all, err := p.org.StandingGrants(ctx)
	if err != nil {
		return err
	}
	p.found("standing-grants", severityNotice, all,
		"These grants hold in the whole organization and never end, so that nobody is asked again whether they are needed.",
		"Review them, narrow them to a project, or give them an end.")
	return nil
}

func (p *posture) waiting(ctx context.Context) error {
	c, err := p.org.PendingCounts(ctx)
	if err != nil {
		return err
	}
	p.found("requests-pending", severityNotice, c.Requests, "People wait for somebody to decide on what they asked for.", "Approve or deny what they asked for.")
	p.found("invitations-pending", severityNotice, c.Invitations, "Whoever has one of these links can come in.", "Withdraw the invitations of those who do not come.")
	p.found("reviews-running", severityNotice, c.Reviews, "Reviews of who has access wait for decisions.", "Remind the reviewers, or decide yourself where you are one.")
	return nil
}

func (p *posture) mail(ctx context.Context) error {
	dead, failing, err := p.org.MailTrouble(ctx)
	if err != nil {
		return err
	}
	p.found("mail-failing", severityWarning, dead+failing,
		"Letters could not be sent: people miss invitations and warnings.",
		"Look at what the mail server said, mend it, and have the letters sent again.")
	return nil
}
