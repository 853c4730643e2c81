package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// post has a letter sent to somebody by mail, once the transaction is committed,
// and reports whether mail is sent at all. asked says that the recipient makes
// this request, so that its language is theirs.
func (h *Handlers) post(ctx context.Context, tx *store.Tx, kind, to string, asked bool, d mail.Data) (bool, error) {
	settings, ok, err := h.opt.Mail.Settings(ctx, tx)
	if err != nil || !ok || to == "" {
		return false, err
	}
	if d.Organization, err = h.organizationInLetters(ctx, tx.Org); err != nil {
		return false, err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	spoken, err := h.spoken(ctx, tx, kind, asked, d.Language, settings)
	if err != nil {
		return false, err
	}
	return true, tx.QueueMail(ctx, &store.MailMessage{Kind: kind, Recipient: to, Language: spoken, Data: secret.NewText(string(raw))})
}

// spoken returns the language of a letter, of those that there are words in: the
// one that its recipient chose, else one that their browser asks for where they
// make this request, else that of the organization, else that of the installation.
func (h *Handlers) spoken(ctx context.Context, tx *store.Tx, kind string, asked bool, chosen string, settings store.MailSettings) (string, error) {
	there := mail.Languages()
	rows, err := tx.Letters(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if r.Kind == kind && !slices.Contains(there, r.Language) {
			there = append(there, r.Language)
		}
	}
	b, err := tx.Brand(ctx)
	if err != nil {
		return "", err
	}
	wanted := []string{chosen}
	if asked {
		wanted = append(wanted, accepted(acceptLanguage(ctx))...)
	}
	if out, ok := brand.Best(append(wanted, b.Language, settings.Language), there); ok {
		return out, nil
	}
	return there[0], nil
}

// notice tells a user by mail of something that happened to their account.
func (h *Handlers) notice(ctx context.Context, tx *store.Tx, kind string, u store.User, about string) error {
	asked := caller(ctx).Subject == "" || caller(ctx).Subject == u.ID
	_, err := h.post(ctx, tx, kind, u.Email, asked, mail.Data{Name: u.Name, At: h.store.Now().UTC(), Factor: about, Language: u.Language})
	return err
}

// accepted returns the languages that an Accept-Language header (RFC 9110 section
// 12.5.4) asks for, the most wanted first.
func accepted(accept string) []string {
	if len(accept) > 200 {
		return nil
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return nil
	}
	out := make([]string, len(wanted))
	for i, t := range wanted {
		out[i] = t.String()
	}
	return out
}

// GetMailSettings says how the installation sends mail.
func (h *Handlers) GetMailSettings(ctx context.Context, _ GetMailSettingsRequestObject) (GetMailSettingsResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	m, ok, err := h.opt.Mail.Settings(ctx, h.store)
	out := mailSettingsOf(m, ok)
	return GetMailSettings200JSONResponse{Body: out, Headers: GetMailSettings200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// SetMailSettings sets how the installation sends mail. The password goes to no
// other server than the one that it was given for.
func (h *Handlers) SetMailSettings(ctx context.Context, r SetMailSettingsRequestObject) (SetMailSettingsResponseObject, error) {
	if _, err := h.platform(ctx, "platform:update"); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	in := r.Body
	m := store.MailSettings{
		Host: strings.TrimSpace(in.Host), Port: in.Port, Security: string(in.Security), Username: deref(in.Username), FromAddress: in.FromAddress,
		FromName: strings.TrimSpace(deref(in.FromName)), Language: cmp.Or(string(deref(in.Language)), mail.Languages()[0]), CA: deref(in.Ca), Version: version,
	}
	if _, err := mail.Authorities(m.CA); err != nil {
		return nil, invalid("/ca", "format", "%s", err)
	}
	if m.Security == store.MailPlain && !local(m.Host) {
		return nil, invalid("/security", "invalid", "without TLS mail goes only to a server on this machine, such as localhost: use starttls or tls")
	}
	if m.Username == "" && deref(in.Password) != "" {
		return nil, invalid("/username", "required", "a password needs a user name")
	}
	if err := h.secretFits(ctx, "/password", secrets.Platform, in.Password); err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		was, err := tx.MailSettings(ctx)
		if err != nil && !store.IsNotFound(err) {
			return err
		}
		switch {
		case in.Password != nil:
			m.Password = secret.NewText(*in.Password)
		case m.Username != "" && was.Host == m.Host && was.Port == m.Port:
			m.Password = was.Password
		}
		if err := tx.SaveMailSettings(ctx, &m); err != nil {
			return err
		}
		return h.record(ctx, tx, "mail-settings.updated", "mail-settings", "installation", m.Host, recordedMailOf(was), recordedMailOf(m))
	})
	out := mailSettingsOf(m, true)
	return SetMailSettings200JSONResponse{Body: out, Headers: SetMailSettings200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// local reports whether a host is this machine by its name. What it stands for is
// looked at when it is connected to.
func local(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// recordedMail is what the audit trail says of the settings.
type recordedMail struct {
	Server, Security, Username, FromAddress, FromName, Language, CA string
	Password                                                        secret.Text
}

func recordedMailOf(m store.MailSettings) any {
	if m.Host == "" {
		return nil
	}
	return recordedMail{net.JoinHostPort(m.Host, strconv.Itoa(m.Port)), m.Security, m.Username, m.FromAddress, m.FromName, m.Language, m.CA, m.Password}
}

// DeleteMailSettings goes back to the configuration.
func (h *Handlers) DeleteMailSettings(ctx context.Context, r DeleteMailSettingsRequestObject) (DeleteMailSettingsResponseObject, error) {
	if _, err := h.platform(ctx, "platform:update"); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		was, err := tx.MailSettings(ctx)
		if store.IsNotFound(err) {
			return db.Expect(1, version) // that of what was never set
		}
		if err != nil {
			return err
		}
		if err := db.Expect(was.Version, version); err != nil {
			return err
		}
		if err := tx.DropMailSettings(ctx, was); err != nil {
			return err
		}
		return h.record(ctx, tx, "mail-settings.deleted", "mail-settings", "installation", was.Host, recordedMailOf(was), nil)
	})
	return DeleteMailSettings204Response{}, err
}

// TestMail sends a test.
func (h *Handlers) TestMail(ctx context.Context, r TestMailRequestObject) (TestMailResponseObject, error) {
	if _, err := h.platform(ctx, "platform:update"); err != nil {
		return nil, err
	}
	m, ok, err := h.opt.Mail.Settings(ctx, h.store)
	if err != nil {
		return nil, err
	}
	out := MailTest{Detail: "No mail server is set: save the settings first."}
	if ok {
		o, err := h.mine(ctx).Organization(ctx)
		if err != nil {
			return nil, err
		}
		spoken, _ := brand.Best(append(accepted(acceptLanguage(ctx)), m.Language), mail.Languages())
		l, err := mail.Prepare(ctx, h.store, o.ID, mail.Test, cmp.Or(spoken, mail.Languages()[0]), mail.Data{Organization: o.Name})
		if err != nil {
			return nil, err
		}
		said, err := h.opt.Mail.Send(ctx, m, o.Name, r.Body.To, l)
		out = MailTest{Ok: err == nil, Detail: cmp.Or(said, "The server took it.")}
		if err != nil {
			out.Detail = err.Error()
		}
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		return h.kit.Audit(ctx, tx.DB(), service.Entry{
			Action: "mail-settings.tested", Target: audit.Target{Kind: "mail-settings", ID: "installation", Name: m.Host}, Organization: tx.ID(), Refused: !out.Ok,
		})
	})
	return TestMail200JSONResponse(out), err
}

// ListMail returns a page of the organization's mail.
func (h *Handlers) ListMail(ctx context.Context, r ListMailRequestObject) (ListMailResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := h.mine(ctx).Mail(ctx, string(deref(r.Params.State)), p)
	out := MailMessageList{Items: make([]MailMessage, len(page.Items)), Next: ptr(page.Next)}
	for i, m := range page.Items {
		out.Items[i] = mailOf(m)
	}
	return ListMail200JSONResponse(out), err
}

// RetryMail has mail tried again.
func (h *Handlers) RetryMail(ctx context.Context, r RetryMailRequestObject) (RetryMailResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	var m store.MailMessage
	err := h.change(ctx, func(tx *store.Tx) error {
		var err error
		if m, err = tx.RetryMail(ctx, r.Id); err != nil {
			return err
		}
		return h.record(ctx, tx, "mail.retried", "mail", m.ID, m.Recipient, nil, nil)
	})
	return RetryMail200JSONResponse(mailOf(m)), err
}

func mailSettingsOf(m store.MailSettings, ok bool) MailSettings {
	out := MailSettings{Source: MailSettingsSourceNone, Version: 1}
	if !ok {
		return out
	}
	out = MailSettings{
		Source: MailSettingsSourceApi, Host: ptr(m.Host), Port: ptr(m.Port), Security: ptr(MailSecurity(m.Security)), Username: ptr(m.Username),
		HasPassword: m.Password.Reveal() != "", FromAddress: ptr(m.FromAddress), FromName: ptr(m.FromName), Language: ptr(MailLanguage(m.Language)),
		Ca: ptr(m.CA), Version: max(m.Version, 1),
	}
	if m.Configured() {
		out.Source = MailSettingsSourceConfiguration
	} else {
		out.PasswordReference = ptr(secrets.Reference(m.Password))
	}
	return out
}

func mailOf(m store.MailMessage) MailMessage {
	out := MailMessage{
		Id: m.ID, Kind: MailMessageKind(m.Kind), Recipient: m.Recipient, State: MailState(m.State), Attempts: m.Failures, Error: ptr(m.Error),
		SentAt: utc(m.SentAt), CreatedAt: m.CreatedAt.UTC(),
	}
	if m.State == store.MailWaiting {
		out.NextAttemptAt = ptr(m.NextAt.UTC())
	}
	return out
}
