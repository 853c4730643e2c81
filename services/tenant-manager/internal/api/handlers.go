package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/directory"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/domains"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/issue"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/webhook"
)

// Options say how long things last, and where links lead.
type Options struct {
	// ConsoleURL and PortalURL begin the links of invitations.
	ConsoleURL, PortalURL string
	// SessionIdle is how long a session lasts without being used,
	// SessionLifetime how long at most.
	SessionIdle, SessionLifetime time.Duration
	// RefreshLeeway is how long the refresh token before the present one is
	// answered with the present one again, in place of ending the session.
	RefreshLeeway time.Duration
	// InvitationLifetime is how long an invitation can be accepted.
	InvitationLifetime time.Duration
	// Passkeys are the relying parties of the browser apps.
	Passkeys *factor.Parties
	// Outbound says where identity providers may be.
	Outbound egress.Guard
	// OnBind, where not nil, is told of each password before a directory is asked about
	// it.
	OnBind func()
	// Leaked are passwords that are refused because they were leaked.
	Leaked password.Leaked
	// Secrets reads secrets that people entered.
	Secrets *secrets.Reader
	// System is what there is to know of the installation itself.
	System System
	// Mail sends mail.
	Mail *mail.Sender
	// Domains asks DNS, and DomainsEvery is how often it is seen what is due to be
	// looked for.
	Domains      *domains.Resolver
	DomainsEvery time.Duration
	// OAuth is the authorization server; nil where the installation has none.
	OAuth *oauth.Server
	// Rights says what somebody may do now, for what is done in their name later.
	Rights authn.Source
	// GatewayURL is where gateways fetch the keys of tokens, "" = at the server.
	GatewayURL string
}

// Handlers answers the operations of the API.
type Handlers struct {
	kit       *service.Kit
	store     *store.Store
	issuer    *issue.Issuer
	passwords *password.Hasher
	compared  comparisons
	forward   *forward.Sender
	sso       *sso.Client
	directory *directory.Client
	domains   *domains.Resolver
	webhooks  *webhook.Sender
	opt       Options
	// unknown and unknownOfAll bound what is recorded of sign-ins at addresses that
	// nobody has.
	unknown, unknownOfAll *service.PerMinute
	// later is work whose time must not show in an answer.
	later chan func(context.Context)
}

var _ StrictServerInterface = (*Handlers)(nil)

// laterRoom bounds the work that waits.
const laterRoom = 1000

// New returns the handlers.
func New(kit *service.Kit, s *store.Store, issuer *issue.Issuer, passwords *password.Hasher, f *forward.Sender, opt Options) *Handlers {
	people := directory.NewClient(opt.Outbound, s.Now)
	people.Slow = opt.OnBind
	return &Handlers{
		kit: kit, store: s, issuer: issuer, passwords: passwords, forward: f, sso: sso.NewClient(opt.Outbound, s.Now), directory: people, domains: opt.Domains,
		webhooks: webhook.NewSender(opt.Outbound, s.Now), opt: opt, unknown: service.NewPerMinute(unknownKept, s.Now), unknownOfAll: service.NewPerMinute(unknownKeptOfAll, s.Now),
		later: make(chan func(context.Context), laterRoom),
	}
}

// Register puts the handlers below a router.
func (h *Handlers) Register(r EchoRouter) {
	RegisterHandlers(r, NewStrictHandler(h, []StrictMiddlewareFunc{h.withGuesses, h.withImpersonation, h.withPerson, withUserAgent}))
}

// Run does what handlers leave for later, until ctx ends; then it does what is
// left.
func (h *Handlers) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case f := <-h.later:
			f(ctx)
		case <-ctx.Done():
		}
	}
	for {
		select {
		case f := <-h.later:
			f(ctx)
		default:
			return nil
		}
	}
}

// afterwards does something when the request is answered.
func (h *Handlers) afterwards(what string, f func(ctx context.Context) error) {
	select {
	case h.later <- func(ctx context.Context) {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			h.kit.Log.WarnContext(ctx, "work after an answer failed", "what", what, "err", err)
		}
	}:
	default:
		h.kit.Log.Warn("work after an answer is left out, because too much waits already", "what", what)
	}
}

type userAgentKey struct{}

// agent is what a request says of the program that makes it.
type agent struct{ name, languages, device string }

func withUserAgent(next StrictHandlerFunc, _ string) StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		r := c.Request()
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), userAgentKey{}, agent{r.UserAgent(), r.Header.Get("Accept-Language"), deviceOf(r)})))
		return next(c, request)
	}
}

func userAgent(ctx context.Context) string {
	a, _ := ctx.Value(userAgentKey{}).(agent)
	return a.name
}

// acceptLanguage returns what the request says of the languages of who makes it.
func acceptLanguage(ctx context.Context) string {
	a, _ := ctx.Value(userAgentKey{}).(agent)
	return a.languages
}

// caller returns who calls; every operation that is not public has one.
func caller(ctx context.Context) authn.Principal {
	p, _ := authn.From(ctx)
	return p
}

// mine returns what the caller's organization sees.
func (h *Handlers) mine(ctx context.Context) *store.Org { return h.store.For(caller(ctx).Organization) }

// change runs fn in a transaction of the caller's organization.
func (h *Handlers) change(ctx context.Context, fn func(tx *store.Tx) error) error {
	p := caller(ctx)
	return h.store.Tx(ctx, p.Organization, p.Subject, fn)
}

// create is as change, and takes effect once for an Idempotency-Key.
func create[T any](ctx context.Context, h *Handlers, fn func(tx *store.Tx) (T, error)) (T, error) {
	p := caller(ctx)
	var last *store.Tx
	out, err := httpx.Once(ctx, h.store.DB(), func(tx *db.Tx) (T, error) {
		last = h.store.In(tx, p.Organization, p.Subject)
		return fn(last)
	})
	if err == nil && last != nil {
		last.Committed()
	}
	return out, err
}

// createSecret is as create, for an answer that holds a secret: it is kept
// encrypted. operation and input are what makes it this request.
func createSecret[T any](ctx context.Context, h *Handlers, key *string, operation string, input any, fn func(tx *store.Tx) (T, error)) (T, error) {
	p := caller(ctx)
	var out T
	request, err := json.Marshal([]any{operation, p.Subject, input})
	if err != nil {
		return out, fmt.Errorf("reading the request: %w", err)
	}
	answer, err := h.store.Once(ctx, p.Organization, p.Subject, deref(key), request, func(tx *store.Tx) ([]byte, error) {
		made, err := fn(tx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(made)
	})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer, &out)
}

// record puts an entry of the audit trail into a transaction.
func (h *Handlers) record(ctx context.Context, tx *store.Tx, action, kind, id, name string, before, after any) error {
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: kind, ID: id, Name: name}, Before: before, After: after, Organization: tx.ID(),
	})
}

// recordUser is as record, for what somebody does to their own account before or
// while signing in.
func (h *Handlers) recordUser(ctx context.Context, tx *store.Tx, action string, u store.User, refused bool) error {
	actor := audit.Actor{Kind: "user", ID: u.ID, Name: u.Name}
	if refused {
		actor = audit.Actor{Kind: "anonymous"}
	}
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Refused: refused, Organization: tx.ID(), Actor: actor,
	})
}

// recordAnonymous is as recordUser, for what somebody did who did not say who they
// are.
func (h *Handlers) recordAnonymous(ctx context.Context, tx *store.Tx, action string, u store.User) error {
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Organization: tx.ID(), Actor: audit.Actor{Kind: "anonymous"},
	})
}

// recordUserChange is as recordUser, for what was done, and with what changed.
func (h *Handlers) recordUserChange(ctx context.Context, tx *store.Tx, action string, u store.User, before, after any) error {
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Before: before, After: after, Organization: tx.ID(),
		Actor: audit.Actor{Kind: "user", ID: u.ID, Name: u.Name},
	})
}

// held returns what the caller holds, as the token narrows it by which they came.
func (h *Handlers) held(ctx context.Context, o *store.Org) (access.Holding, error) {
	all, err := h.holdings(ctx, o)
	return all[caller(ctx).Subject], err
}

// holdings returns what the caller holds, as the token narrows it by which they
// came, and what others do.
func (h *Handlers) holdings(ctx context.Context, o *store.Org, others ...string) (map[string]access.Holding, error) {
	p := caller(ctx)
	all, err := rights.Holdings(ctx, o, append(others[:len(others):len(others)], p.Subject)...)
	if err != nil {
		return nil, err
	}
	mine, err := rights.Narrowed(ctx, o, p, all[p.Subject])
	if err == nil {
		all[p.Subject] = mine
	}
	return all, err
}

// handsOn returns a problem where the caller would hand on what they do not have.
func (h *Handlers) handsOn(ctx context.Context, tx *store.Tx, permissions []string, scope access.Scope, until time.Time) error {
	held, err := h.held(ctx, tx.Org)
	if err != nil {
		return err
	}
	if missing := access.Missing(held, permissions, scope, until, h.store.Now()); missing != "" {
		return problem.New(problem.CodeAccessDenied,
			"nobody can hand on what they do not have: this needs %s in %s; ask somebody who has it", missing, scope)
	}
	return nil
}

// mayManage returns a problem where the principal may do more than the caller.
func (h *Handlers) mayManage(ctx context.Context, tx *store.Tx, principal string) error {
	p := caller(ctx)
	if principal == p.Subject {
		return h.whole(ctx, tx.Org)
	}
	held, err := h.holdings(ctx, tx.Org, principal)
	if err != nil {
		return err
	}
	return notAbove(held[principal], held[p.Subject], h.store.Now())
}

// whole returns a problem where the caller came by a token that is made for less
// than they may do: by what acts as them later it could become more.
func (h *Handlers) whole(ctx context.Context, org *store.Org) error {
	p := caller(ctx)
	if p.Token == "" {
		return nil
	}
	k, err := rights.Token(ctx, org, p.Kind, p.Subject, p.Session)
	if err != nil {
		return err
	}
	if k != nil {
		if _, narrowed := k.Boundary(); !narrowed {
			return nil
		}
	}
	return problem.New(problem.CodeAccessDenied, "the token %s is made for a part of what you may do, and your account for more: sign in", p.Token)
}

func notAbove(theirs, held access.Holding, now time.Time) error {
	if p, scope := access.Above(theirs, held, now); p != "" {
		return problem.New(problem.CodeAccessDenied,
			"nobody can change an account that may do more than their own: it has %s in %s; ask somebody who has that too", p, scope)
	}
	return nil
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// ptr returns a pointer to a value, nil to the zero value.
func ptr[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func etag(version int64) *string { return ptr(db.ETag(version)) }

func location(kind, id string) *string { return ptr("/api/v1/" + kind + "/" + id) }

// invalid is the problem of one field of the body.
func invalid(pointer, code, format string, args ...any) *problem.Problem {
	detail := fmt.Sprintf(format, args...)
	return problem.Invalid(detail, problem.Field{Pointer: pointer, Code: code, Detail: detail})
}
