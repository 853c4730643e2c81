package store_test

import (
	"context"
	"encoding/base64"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/secret/secrettest"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/migrations"
)

func TestAnotherKeyTakesOver(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Service{
		Migrations: migrations.Files, Columns: store.Secrets(), Passing: []string{"challenges.data"}, Write: writeSecrets,
	})
}

// writeSecrets makes an organization with one of everything that has a secret.
func writeSecrets(t *testing.T, d *db.DB, ring *secret.Keyring, n int) map[string]secrettest.Secret {
	t.Helper()
	ctx, s := t.Context(), store.New(d, ring, nil)
	mark := secrettest.Mark(n)
	org := organization(t, s, "keys-"+strconv.Itoa(n))
	u := user(t, s, org, "Ada", "ada@keys-"+strconv.Itoa(n)+".example")
	text, now := secret.NewText(mark), s.Now()
	var (
		session   = store.Session{UserID: u.ID, RefreshKey: text, RotatedAt: now, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)}
		factor    = store.Factor{UserID: u.ID, Kind: "totp", Secret: secret.NewText("before it was used"), ConfirmedAt: &now}
		receiver  = store.AuditReceiver{Name: "SIEM", Kind: store.HTTP, Address: "https://siem.example.com/in?token=" + mark, Secret: text, Enabled: true}
		hook      = store.Webhook{Name: "Chat", Address: "https://chat.example.com/T0/" + mark, Events: []string{"*"}, Secret: text, PreviousSecret: text, Enabled: true}
		key       = store.OAuthKey{ID: "kid-" + strconv.Itoa(n), Algorithm: "ES256", Number: 1, PrivateKey: text, ActiveFrom: now}
		letter    = store.MailMessage{Kind: "invitation", Recipient: u.Email, Language: "en", Data: text}
		connected = store.SSOConnection{Name: "IdP", Kind: store.OIDC, Issuer: "https://idp.example.com", ClientID: "c", Secret: text, Scopes: []string{}, Roles: []string{}, GroupRoles: []store.SSOGroupRole{}}
		challenge = store.Challenge{OrganizationID: org, UserID: u.ID, Purpose: "p", Hash: "c" + strconv.Itoa(n), Data: mark, ExpiresAt: now.Add(time.Hour)}
	)
	tx(t, s, org, func(tx *store.Tx) error {
		for _, make := range []func() error{
			func() error { return tx.CreateSession(ctx, &session) },
			func() error { return tx.CreateFactor(ctx, &factor) },
			func() error { return tx.UsedPasskey(ctx, factor.ID, mark) },
			func() error { return tx.CreateAuditReceiver(ctx, &receiver) },
			func() error { return tx.CreateWebhook(ctx, &hook) },
			func() error { return tx.CreateOAuthKey(ctx, &key) },
			func() error { return tx.QueueMail(ctx, &letter) },
			func() error { return tx.CreateSSOConnection(ctx, &connected) },
			func() error { return s.SealedChallenge(ctx, tx, &challenge) },
		} {
			if err := make(); err != nil {
				return err
			}
		}
		if n > 0 {
			return nil
		}
		return tx.SaveMailSettings(ctx, &store.MailSettings{Host: "mail.example.com", Port: 25, Password: text, Version: 1})
	})
	require.NoError(t, s.For(org).KeepSSOHint(ctx, session.ID, connected.ID, mark))
	reads := func(read func(ctx context.Context, s *store.Store, o *store.Org) (string, error)) secrettest.Secret {
		return secrettest.Secret{Text: mark, Read: func(ctx context.Context, ring *secret.Keyring) (string, error) {
			s := store.New(d, ring, nil)
			return read(ctx, s, s.For(org))
		}}
	}
	webhook := func(field func(store.Webhook) string) secrettest.Secret {
		return reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			w, err := o.Webhook(ctx, hook.ID)
			return field(w), err
		})
	}
	forward := func(field func(store.AuditReceiver) string) secrettest.Secret {
		return reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			r, err := o.AuditReceiver(ctx, receiver.ID)
			return field(r), err
		})
	}
	out := map[string]secrettest.Secret{
		"webhooks.secret":                webhook(func(w store.Webhook) string { return w.Secret.Reveal() }),
		"webhooks.previous_secret":       webhook(func(w store.Webhook) string { return w.PreviousSecret.Reveal() }),
		"webhooks.sealed_address":        webhook(func(w store.Webhook) string { return w.Address }),
		"audit_receivers.secret":         forward(func(r store.AuditReceiver) string { return r.Secret.Reveal() }),
		"audit_receivers.sealed_address": forward(func(r store.AuditReceiver) string { return r.Address }),
		"sessions.refresh_key": reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			row, err := o.Session(ctx, session.ID)
			return row.RefreshKey.Reveal(), err
		}),
		"factors.secret": reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			row, err := o.Factor(ctx, u.ID, factor.ID)
			return row.Secret.Reveal(), err
		}),
		"oauth_keys.private_key": reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			rows, err := o.OAuthKeys(ctx)
			if err != nil {
				return "", err
			}
			return rows[0].PrivateKey.Reveal(), nil
		}),
		"mail_messages.data": reads(func(ctx context.Context, s *store.Store, _ *store.Org) (string, error) {
			rows, err := s.DueMail(ctx, 10)
			for _, r := range rows {
				if r.ID == letter.ID {
					return r.Data.Reveal(), err
				}
			}
			return "", err
		}),
		"sso_hints.id_token": reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			return o.SSOHint(ctx, session.ID)
		}),
		"sso_connections.secret": reads(func(ctx context.Context, _ *store.Store, o *store.Org) (string, error) {
			row, err := o.SSOConnection(ctx, connected.ID)
			return row.Secret.Reveal(), err
		}),
	}
	if n > 0 {
		return out
	}
	out["mail_settings.password"] = reads(func(ctx context.Context, s *store.Store, _ *store.Org) (string, error) {
		row, err := s.MailSettings(ctx)
		return row.Password.Reveal(), err
	})
	signs := func(ctx context.Context, ring *secret.Keyring) (string, error) {
		keys, err := store.New(d, ring, nil).SigningKeys(ctx)
		if err != nil {
			return "", err
		}
		return base64.RawStdEncoding.EncodeToString(keys[0].Private.Seed()), nil
	}
	_, err := s.RotateSigningKeys(ctx)
	require.NoError(t, err)
	seed, err := signs(ctx, ring)
	require.NoError(t, err)
	out["signing_keys.private_key"] = secrettest.Secret{Text: seed, Read: signs}
	return out
}

// What an earlier version kept as text is read as it is, encrypted at the start, and
// still sent to; so is what one writes that runs beside.
func TestAddressesOfBeforeAreEncrypted(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		ring, err := secret.ParseKeyring(secret.NewKey("k"))
		require.NoError(t, err)
		s := store.New(d, ring, nil)
		org := organization(t, s, "addresses")
		tx(t, s, org, func(tx *store.Tx) error {
			if err := tx.CreateWebhook(ctx, &store.Webhook{Name: "Chat", Address: "https://chat.example.com/now", Events: []string{"*"}, Enabled: true}); err != nil {
				return err
			}
			return tx.CreateAuditReceiver(ctx, &store.AuditReceiver{Name: "SIEM", Kind: store.HTTP, Address: "https://siem.example.com/now", Enabled: true})
		})
		require.NoError(t, s.AppendAudit(ctx, audit.Recorded{ID: "e", Organization: org, Action: "api.updated", Outcome: "done", Time: s.Now()}))
		g := d.Unscoped(ctx, "an earlier version writes")
		older := func(path string) {
			require.NoError(t, g.Exec("UPDATE webhooks SET address = ?", "https://chat.example.com/"+path).Error)
			require.NoError(t, g.Exec("UPDATE audit_receivers SET address = ?", "https://siem.example.com/"+path).Error)
		}
		see := func(path string) {
			t.Helper()
			hooks, err := s.For(org).Webhooks(ctx)
			require.NoError(t, err)
			require.Equal(t, "https://chat.example.com/"+path, hooks[0].Address)
			behind, err := s.WebhooksBehind(ctx, 10)
			require.NoError(t, err)
			require.Equal(t, "https://chat.example.com/"+path, behind[0].Address)
			receivers, err := s.For(org).AuditReceivers(ctx)
			require.NoError(t, err)
			require.Equal(t, "https://siem.example.com/"+path, receivers[0].Address)
			due, err := s.DueAuditReceivers(ctx, 10)
			require.NoError(t, err)
			require.Equal(t, "https://siem.example.com/"+path, due[0].Address)
		}
		see("now")
		for _, path := range []string{"before", "beside"} {
			older(path)
			see(path)
			for _, c := range store.Secrets() {
				_, err := ring.Rotate(ctx, g, c)
				require.NoError(t, err)
			}
			see(path)
			for _, table := range []string{"webhooks", "audit_receivers"} {
				var row struct{ Address, SealedAddress string }
				require.NoError(t, g.Raw("SELECT address, sealed_address FROM "+table).Scan(&row).Error)
				require.Empty(t, row.Address)
				require.Regexp(t, `^gh1\.k\.`, row.SealedAddress)
			}
		}
		hook, err := s.For(org).Webhooks(ctx)
		require.NoError(t, err)
		older("left")
		hook[0].Address = "https://chat.example.com/saved"
		tx(t, s, org, func(tx *store.Tx) error { return tx.SaveWebhook(ctx, &hook[0]) })
		hook, err = s.For(org).Webhooks(ctx)
		require.NoError(t, err)
		require.Equal(t, "https://chat.example.com/saved", hook[0].Address)
	})
}
