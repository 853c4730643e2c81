// Package tenantmanager is the service that owns organizations, users and their
// sessions, roles and grants, service accounts, the keys of access tokens, and
// the audit trail of all services.
package tenantmanager

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/api"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/domains"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/events"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/firstrun"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/issue"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/webhook"
	"github.com/gatehouse/gatehouse/services/tenant-manager/migrations"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

//go:embed openapi.yaml
var openapi []byte

const day = 24 * time.Hour

var errNoKeyring = errors.New("secrets.keyring is not set: signing keys are stored encrypted; make a key with openssl rand -hex 32")

// Part returns the service as a part of a process.
func Part(cfg Config) app.Part {
	return app.Part{Name: tenant.Service, New: func(env app.Env) (app.Service, error) {
		m := &manager{cfg: cfg}
		return app.Func(func(ctx context.Context, ready func()) error {
			return service.Run(ctx, ready, env, service.Options{
				Name: tenant.Service, Config: cfg.Config, Migrations: migrations.Files, Source: m.source, Listening: cfg.Listening, Secrets: store.Secrets(),
			}, m.build)
		}), nil
	}}
}

// manager is one run of the service.
type manager struct {
	cfg    Config
	store  *store.Store
	api    *api.Handlers
	issuer *issue.Issuer
	rights *rights.Source
}

// source makes what the service knows itself: it asks nobody who may do what.
func (m *manager) source(k *service.Kit) authn.Source {
	m.store = store.New(k.DB, k.Keyring, func(e tenant.AccessChanged) { k.Access.Changed(e) })
	m.issuer = issue.New(m.store.SigningKeys, k.Now)
	m.rights = rights.NewSource(m.store, m.issuer)
	return m.rights
}

func (m *manager) build(ctx context.Context, k *service.Kit) (http.Handler, error) {
	if k.Keyring == nil {
		return nil, errNoKeyring
	}
	keys, err := m.store.RotateSigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	m.issuer.Set(keys)
	first := m.cfg.FirstRun
	err = firstrun.Run(ctx, m.store, k.Log, firstrun.Options{
		Organization: first.Organization, Name: cmp.Or(first.Name, first.Organization), ConsoleURL: first.ConsoleURL, OnCode: m.cfg.OnFirstRun,
	})
	if err != nil {
		return nil, err
	}
	s, err := k.Server(openapi)
	if err != nil {
		return nil, err
	}
	parties, err := m.cfg.parties()
	if err != nil {
		return nil, err
	}
	server := m.oauthServer(k)
	host, err := os.Hostname()
	if err != nil {
		host = k.Name
	}
	instances := func(ctx context.Context) (*bus.Bucket, error) {
		return k.Bus.Bucket(ctx, bus.BucketOptions{Name: system.Bucket, TTL: system.Kept, Memory: true})
	}
	reader := secrets.NewReader(k.References, m.cfg.References, m.slugOf)
	sender := forward.NewSender(m.cfg.Outbound, host, reader)
	if k.Metrics != nil {
		c := newReceiverMetrics(m.store)
		if err := k.Metrics.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics of the audit trail: %w", err)
		}
		k.Go("metrics of the audit trail", func(ctx context.Context) error {
			<-ctx.Done()
			k.Metrics.Unregister(c)
			return nil
		})
	}
	letters := mail.NewSender(m.cfg.Outbound, m.cfg.Mail.settings(), reader)
	hasher := password.NewHasher()
	var bind func()
	if slow := m.cfg.OnSlowStep; slow != nil {
		hasher.Slow, bind = func() { slow("hash") }, func() { slow("bind") }
	}
	h := api.New(k, m.store, m.issuer, hasher, sender, api.Options{
		ConsoleURL: m.cfg.ConsoleURL, PortalURL: cmp.Or(m.cfg.PortalURL, m.cfg.ConsoleURL),
		SessionIdle: time.Duration(m.cfg.Sessions.Idle), SessionLifetime: time.Duration(m.cfg.Sessions.Lifetime),
		RefreshLeeway: time.Duration(m.cfg.Sessions.RefreshLeeway), InvitationLifetime: time.Duration(m.cfg.InvitationLifetime),
		Passkeys: parties,
		Outbound: m.cfg.Outbound, OnBind: bind,
		Leaked: m.leaked(ctx, k),
		OAuth:  server, GatewayURL: m.cfg.OAuth.GatewayURL,
		Secrets: reader, Rights: m.rights,
		System:  api.System{Bucket: instances, Services: m.cfg.Services, Backup: m.backup()},
		Mail:    letters,
		Domains: domains.NewResolver(m.cfg.DNS.Servers), DomainsEvery: time.Duration(m.cfg.DNS.Every),
	})
	m.api, m.rights.Over = h, h.ActingOver
	h.Register(s.API())
	h.RegisterSCIM(s.Echo())
	if server != nil {
		api.RegisterOAuth(s.Echo(), server)
	}
	k.Go("work after answers", h.Run)
	k.Go("audit trail", func(ctx context.Context) error { return events.Trail(ctx, k.Bus, m.store) })
	k.Go("forwarding the audit trail", func(ctx context.Context) error {
		return bus.Lease(ctx, k.Bus, "audit-forward", leaseTTL, func(ctx context.Context, _ uint64) error {
			return forward.Run(ctx, m.store, sender, receiverNotices{m.store, k}, k.Log)
		})
	})
	k.Go("sending mail", func(ctx context.Context) error {
		return bus.Lease(ctx, k.Bus, "mail", leaseTTL, func(ctx context.Context, _ uint64) error {
			return mail.Run(ctx, m.store, letters, k.Log)
		})
	})
	hooks := webhook.NewSender(m.cfg.Outbound, m.store.Now)
	k.Go("webhooks", func(ctx context.Context) error {
		return bus.Lease(ctx, k.Bus, "webhooks", leaseTTL, func(ctx context.Context, _ uint64) error {
			return webhook.Run(ctx, m.store, hooks, k.Log)
		})
	})
	if server != nil {
		k.Go("telling clients of logouts", func(ctx context.Context) error {
			return bus.Lease(ctx, k.Bus, "oauth-logouts", leaseTTL, func(ctx context.Context, _ uint64) error {
				return server.RunLogouts(ctx, k.Log)
			})
		})
		k.Job(service.JobOptions{
			Name: "oauth-keys", Every: oauth.KeysEvery, Lease: leaseTTL, Failed: "keys of organizations could not be turned; it is tried again",
		}, server.TurnKeys)
	}
	k.Job(service.JobOptions{
		Name: "endings", Every: api.EndingsEvery, Lease: leaseTTL, Failed: "telling of what ends failed; it is tried again",
	}, h.TellOfEndings)
	k.Job(service.JobOptions{
		Name: "organizations-that-are-over", Every: purgeEvery, Lease: leaseTTL, Failed: "an organization that is over is not gone yet; it is tried again",
	}, h.PurgeOrganizations)
	k.Job(service.JobOptions{
		Name: "domains", Every: time.Duration(m.cfg.DNS.Every), Lease: leaseTTL, Failed: "domains could not be looked for; it is tried again",
	}, h.LookForDomains)
	k.Job(service.JobOptions{
		Name: "access-reviews", Every: api.ReviewsEvery, Lease: leaseTTL, Failed: "looking after reviews of access failed; it is tried again",
	}, h.TendReviews)
	k.Job(service.JobOptions{
		Name: "bulk-jobs", Every: api.BulkJobsEvery, Lease: leaseTTL, Failed: "bulk jobs over users could not go on; it is tried again",
	}, h.TendBulkJobs)
	k.Job(service.JobOptions{
		Name: "sso-metadata", Every: api.MetadataEvery, Lease: leaseTTL, Failed: "metadata of identity providers could not be fetched; it is tried again",
	}, h.RefreshMetadata)
	k.Job(service.JobOptions{
		Name: "sso-certificates", Every: api.MetadataEvery, Lease: leaseTTL, Failed: "certificates of single sign-ons could not be switched; it is tried again",
	}, h.SwitchCertificates)
	k.Job(service.JobOptions{Name: "housekeeping", Every: houseEvery, Lease: leaseTTL, Failed: "housekeeping failed; it is tried again"}, func(ctx context.Context) error {
		return m.cleanHouse(ctx, k)
	})
	k.Feature("authorization-server", server != nil)
	k.Feature("mail-configured", m.cfg.Mail.Host != "")
	k.Feature("vault", k.References.HasVault())
	return s, errors.Join(events.Answer(k.Bus, m.store, m.rights), h.AnswerClients(k.Bus))
}

// slugOf returns the short name of an organization.
func (m *manager) slugOf(ctx context.Context, organization string) (string, error) {
	o, err := m.store.For(organization).Organization(ctx)
	return o.Slug, err
}

// leaked returns the list of leaked passwords, and says what is in it.
func (m *manager) leaked(ctx context.Context, k *service.Kit) password.Leaked {
	l := password.Leaked{Path: m.cfg.Passwords.Leaked}
	n, err := l.Check()
	k.Feature("leaked-passwords", err == nil && n > 0)
	switch {
	case err != nil:
		k.Log.ErrorContext(ctx, "no new password can be set before the list of leaked passwords is imported again", "err", err)
	case n > 0:
		k.Log.InfoContext(ctx, "new passwords are held against a list of leaked ones", "passwords", n, "falsePositives", password.FalsePositives(n))
	}
	return l
}

const (
	leaseTTL   = 15 * time.Second
	houseEvery = time.Hour
	// purgeEvery is how often it is looked for organizations whose time is over.
	purgeEvery = 2 * time.Second
	// sessionsKept is how long sessions are kept after their end: refresh tokens
	// that come again are still known.
	sessionsKept = 30 * day
	// tokensKept is how long it is shown that a personal token ended.
	tokensKept = 30 * day
	// mailKept is how long it is shown what became of mail, and of deliveries to
	// webhooks.
	mailKept = 30 * day
)

// backup returns what tells of the last backup.
func (m *manager) backup() func() (*api.SystemBackup, error) {
	if m.cfg.LastBackup == nil {
		return nil
	}
	return func() (*api.SystemBackup, error) {
		out := api.SystemBackup{Shape: api.Standalone}
		last, err := m.cfg.LastBackup()
		if err == nil && last != nil {
			out.LastAt, out.File, out.Size, out.Keys = &last.At, &last.File, &last.Size, &last.Keys
		}
		return &out, err
	}
}

// cleanHouse rotates keys and cleans away what has run out, in one replica at a
// time.
func (m *manager) cleanHouse(ctx context.Context, k *service.Kit) error {
	now := k.Now()
	keys, err := m.store.RotateSigningKeys(ctx)
	if err == nil {
		m.issuer.Set(keys)
	}
	_, errSessions := m.store.ForgetSessions(ctx, now.Add(-sessionsKept))
	_, errAttempts := m.store.ForgetAttempts(ctx, now.Add(-throttle.Account.Forget))
	_, errDevices := m.store.ForgetDevices(ctx)
	_, errMail := m.store.ForgetMail(ctx, now.Add(-mailKept))
	_, errDeliveries := m.store.ForgetDeliveries(ctx, now.Add(-mailKept))
	_, errImages := m.store.ForgetBrandImages(ctx, now.Add(-day))
	_, errChallenges := m.store.ForgetChallenges(ctx, now)
	_, errBulk := m.store.ForgetBulkJobs(ctx, now.Add(-api.BulkJobsKept))
	_, errTokens := m.store.ForgetPersonalTokens(ctx, now.Add(-tokensKept))
	return errors.Join(err, errSessions, errAttempts, errDevices, errChallenges, errMail, errImages, errDeliveries, errTokens, errBulk, m.store.ForgetEndings(ctx, now.Add(-tokensKept)), m.trimTrails(ctx, k), m.store.ForgetOAuth(ctx))
}

// trimBatch is how many audit entries are removed in one transaction.
const trimBatch = 1000

// trimTrails removes audit entries that organizations do not want any longer. That
// they were is an entry itself.
func (m *manager) trimTrails(ctx context.Context, k *service.Kit) error {
	ids, err := m.store.TrimmedTrails(ctx)
	for _, id := range ids {
		for more := true; more && err == nil; {
			err = m.store.Tx(ctx, id, "", func(tx *store.Tx) error {
				removed, count, err := tx.TrimAudit(ctx, trimBatch)
				more = count > 0
				if err != nil || !more {
					return err
				}
				return k.Audit(ctx, tx.DB(), service.Entry{
					Action: "audit.trimmed", Target: audit.Target{Kind: "audit", ID: id}, Organization: id,
					After: struct {
						Removed  int64  `json:"removed"`
						Sequence int64  `json:"sequence"`
						Hash     string `json:"hash"`
					}{count, removed.Sequence, removed.Hash},
				})
			})
		}
	}
	return err
}
