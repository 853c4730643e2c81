package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/directory"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// readLDAP reads how a directory is asked.
func readLDAP(in SsoConnectionInput, c *store.SSOConnection) error {
	for _, f := range []struct {
		pointer string
		given   bool
	}{{"/issuer", in.Issuer != nil}, {"/clientId", in.ClientId != nil}, {"/clientSecret", in.ClientSecret != nil}, {"/scopes", in.Scopes != nil}} {
		if f.given {
			return invalid(f.pointer, "unknown", "a directory knows nothing of it: leave it out")
		}
	}
	l := in.Ldap
	if l == nil {
		return invalid("/ldap", "required", "say how the directory is asked: its servers and where its people are")
	}
	s := directory.WithDefaults(store.LDAPSettings{
		URLs: make([]string, len(l.Urls)), StartTLS: l.StartTls == nil || *l.StartTls, CA: strings.TrimSpace(deref(l.Ca)), BindDN: trimmed(l.BindDn),
		UserBase: strings.TrimSpace(l.UserBase), UserFilter: trimmed(l.UserFilter), EmailAttribute: trimmed(l.EmailAttribute), NameAttribute: trimmed(l.NameAttribute),
		SubjectAttribute: trimmed(l.SubjectAttribute), GroupBase: trimmed(l.GroupBase), GroupFilter: trimmed(l.GroupFilter),
		GroupNameAttribute: trimmed(l.GroupNameAttribute), NestedGroups: deref(l.NestedGroups),
	}, c.Preset)
	for i, u := range l.Urls {
		s.URLs[i] = strings.TrimSpace(u)
	}
	err := directory.Check(s)
	var wrong *directory.InvalidError
	if errors.As(err, &wrong) {
		return invalid("/ldap"+wrong.Field, "format", "%s", wrong)
	}
	if err != nil {
		return err
	}
	switch {
	case s.BindDN == "":
		c.Secret = secret.Text{}
	case l.BindPassword != nil:
		c.Secret = secret.NewText(*l.BindPassword)
	case newServer(c.Settings.LDAP, &s):
		// It was for other servers; those that are named now get it from who knows it.
		return invalid("/ldap/bindPassword", "required", "give the password of %s: it is not kept for a new server", s.BindDN)
	case c.Secret.Reveal() == "":
		return invalid("/ldap/bindPassword", "required", "give the password of %s: without one, a directory takes it for nobody", s.BindDN)
	}
	c.Issuer, c.ClientID, c.Scopes = "", "", []string{}
	c.EmailClaim, c.NameClaim, c.GroupsClaim = s.EmailAttribute, s.NameAttribute, "groups"
	c.Settings.LDAP = &s
	return nil
}

func trimmed(s *string) string { return strings.TrimSpace(deref(s)) }

// newServer reports whether there is a server that was not there before. One that
// is gone, or another order, changes nothing of who is asked.
func newServer(before, after *store.LDAPSettings) bool {
	return before == nil || slices.ContainsFunc(after.URLs, func(u string) bool { return !slices.Contains(before.URLs, u) })
}

func ldapTellsApartAnew(before, after *store.LDAPSettings) bool {
	return newServer(before, after) || !strings.EqualFold(before.UserBase, after.UserBase) || !strings.EqualFold(before.SubjectAttribute, after.SubjectAttribute)
}

func ldapOf(s *store.LDAPSettings) *SsoLdap {
	if s == nil {
		return nil
	}
	return &SsoLdap{
		Urls: notNil(s.URLs), StartTls: &s.StartTLS, Ca: &s.CA, BindDn: &s.BindDN, UserBase: s.UserBase, UserFilter: &s.UserFilter, EmailAttribute: &s.EmailAttribute,
		NameAttribute: &s.NameAttribute, SubjectAttribute: &s.SubjectAttribute, GroupBase: &s.GroupBase, GroupFilter: &s.GroupFilter,
		GroupNameAttribute: &s.GroupNameAttribute, NestedGroups: &s.NestedGroups,
	}
}

// directoryFor returns the connection to the directory that has the domain of an
// e-mail address, nil where there is none, and the hash that the password is
// compared with first: none of users whom only the directory lets in, who are those
// that are linked to it, except break-glass accounts.
//
// The password that is kept here comes first, so that it is never shown to a
// directory, and who has one waits for no directory that is away.
func (h *Handlers) directoryFor(ctx context.Context, in SignInInput, u store.User, o store.Organization) (*store.SSOConnection, string, error) {
	c, _, err := h.store.SSOConnectionFor(ctx, sso.Domain(in.Email))
	if store.IsNotFound(err) || err == nil && (c.Kind != store.LDAP || deref(in.Organization) != "" && c.OrganizationID != o.ID) {
		return nil, u.PasswordHash, nil
	}
	if err != nil {
		return nil, "", err
	}
	alone, err := h.byDirectoryAlone(ctx, c, u)
	if err != nil || alone {
		return &c, "", err
	}
	return &c, u.PasswordHash, nil
}

// byDirectoryAlone reports whether only a directory lets a user in: they are linked to
// it, and no break-glass account.
func (h *Handlers) byDirectoryAlone(ctx context.Context, c store.SSOConnection, u store.User) (bool, error) {
	org := h.store.For(c.OrganizationID)
	linked, err := org.SSOLinked(ctx, c.ID, u.ID)
	if err != nil || !linked {
		return false, err
	}
	spared, err := h.breakGlass(ctx, org, u)
	return err == nil && !spared, err
}

// directoryOf returns the directory that alone lets a user in, nil where a password
// that is kept here does.
func (h *Handlers) directoryOf(ctx context.Context, u store.User) (*store.SSOConnection, error) {
	c, _, err := h.store.SSOConnectionFor(ctx, sso.Domain(u.Email))
	if store.IsNotFound(err) || err == nil && (c.Kind != store.LDAP || c.OrganizationID != u.OrganizationID) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	alone, err := h.byDirectoryAlone(ctx, c, u)
	if err != nil || !alone {
		return nil, err
	}
	return &c, nil
}

// signInByDirectory begins a session of somebody whom a directory knows, after no
// password that is kept here was right. u is the user with the e-mail address, if
// there is one; locked says that they have to wait from this attempt on.
func (h *Handlers) signInByDirectory(ctx context.Context, in SignInInput, c store.SSOConnection, u store.User, account, address store.Limited, locked bool) (SignInResponseObject, error) {
	known := ""
	if u.OrganizationID == c.OrganizationID {
		known = u.ID
	}
	found, err := h.atDirectory(ctx, h.directory.SignIn, c, directory.Login{Name: strings.TrimSpace(in.Email), Password: in.Password}, account.Limit)
	var (
		away *directory.UnavailableError
		no   *directory.RefusedError
	)
	switch {
	case errors.As(err, &away):
		// Everybody of the domain gets this answer who is not let in by a password that
		// is kept here, so that it tells nothing of who is there.
		h.kit.Log.WarnContext(ctx, "a directory could not be asked", "connection", c.ID, "err", away)
		h.ssoRefused(ctx, c, known, away.Reason)
		return nil, problem.New(problem.CodeDependencyDown, "%s cannot be asked at the moment: try again in a while, or ask your administrator", c.Name)
	case errors.As(err, &no):
		h.ssoRefused(ctx, c, known, no.Reason)
		if u.ID != "" {
			h.signInRefused(ctx, u, locked)
		} else {
			h.unknownRefused(ctx, in.Email, deref(in.Organization))
		}
		return nil, refused(signInRefusal)
	case err != nil:
		return nil, err
	}
	out, err := h.signInBySSO(ctx, c, found.Person, "", deref(in.Origin))
	if err != nil {
		return nil, err
	}
	if err := h.forgive(ctx, in.Email, out, account, address); err != nil {
		return nil, err
	}
	if out.Challenge != nil {
		return SignIn202JSONResponse(*out.Challenge), nil
	}
	return SignIn200JSONResponse(*out.Tokens), nil
}

// atDirectory asks a directory, with the password of the account that looks people
// up. Where that cannot be read, the directory cannot be asked.
//
// Passwords that are not right are held against the entry, by whatever name it was found:
// one that has several addresses cannot be guessed at under each of them, and the
// directory does not come to lock it. Who has to wait is refused as with a wrong password,
// so that nothing shows under which names there is the same person.
func (h *Handlers) atDirectory(
	ctx context.Context, ask func(context.Context, store.LDAPSettings, string, directory.Login) (directory.Found, error), c store.SSOConnection, l directory.Login, limit throttle.Limit,
) (directory.Found, error) {
	c, err := h.revealed(ctx, c)
	if err != nil {
		return directory.Found{}, &directory.UnavailableError{Reason: err.Error()}
	}
	// Who types in the one address that they have waits for that, and never for this.
	limit.First, limit.Longest = limit.First/2, limit.Longest/2
	entry := store.Limited{Limit: limit}
	l.Admit = func(ctx context.Context, dn string) error {
		if entry.Name != "" { // asked of another server, as the first one failed
			return nil
		}
		name := "entry of " + c.ID + " " + token.Hash(strings.ToLower(dn))
		wait, err := h.store.Attempt(ctx, store.Limited{Name: name, Limit: limit})
		if err != nil {
			return err
		}
		if wait > 0 {
			return &directory.RefusedError{Reason: dn + ": too many passwords were not right, and the directory was not asked for " + wait.Round(time.Second).String()}
		}
		entry.Name = name
		return nil
	}
	found, err := ask(ctx, *c.Settings.LDAP, c.Secret.Reveal(), l)
	if entry.Name == "" {
		return found, err
	}
	var away *directory.UnavailableError
	switch {
	case err == nil:
		err = h.store.Succeeded(ctx, entry, store.Limited{})
	case errors.As(err, &away): // nothing was found out
		err = errors.Join(err, h.store.TakeBack(context.WithoutCancel(ctx), entry))
	}
	return found, err
}

// forgive takes an attempt back that was right. What else is held against the
// address is forgotten only where nobody has it but who was let in: whoever has a
// directory of their own could else guess at a password that is kept here.
func (h *Handlers) forgive(ctx context.Context, email string, out SsoFinished, account, address store.Limited) error {
	users, err := h.store.UsersWithEmail(ctx, email)
	if err != nil {
		return err
	}
	if out.Tokens != nil && len(users) == 1 && users[0].ID == out.Tokens.User.Id {
		return h.store.Succeeded(ctx, account, address)
	}
	return h.takeBack(ctx, account, address)
}

// takeBack takes an attempt back, and forgets nothing else.
func (h *Handlers) takeBack(ctx context.Context, account, address store.Limited) error {
	err := h.store.TakeBack(ctx, account)
	if err == nil && address.Name != "" {
		err = h.store.TakeBack(ctx, address)
	}
	return err
}

// testLDAP looks somebody up in a directory, tries their password, and keeps what
// came of it. Passwords that are not right are held against the connection.
func (h *Handlers) testLDAP(ctx context.Context, c store.SSOConnection, in SsoTestInput) (TestSsoConnectionResponseObject, error) {
	switch {
	case deref(in.Username) == "":
		return nil, invalid("/username", "required", "say whom to look up: what they would type in at sign-in")
	case deref(in.Password) == "":
		return nil, invalid("/password", "required", "send their password")
	}
	guesses := store.Limited{Name: "directory of " + c.ID, Limit: throttle.Account}
	wait, err := h.store.Attempt(ctx, guesses)
	if err == nil && wait > 0 {
		err = slower(wait, "too many tests with a password that was not right")
	}
	if err != nil {
		return nil, err
	}
	found, err := h.atDirectory(ctx, h.directory.Try, c, directory.Login{Name: strings.TrimSpace(*in.Username), Password: *in.Password}, throttle.Account)
	var (
		away   *directory.UnavailableError
		no     *directory.RefusedError
		failed *sso.FailedError
	)
	switch {
	case errors.As(err, &no):
		failed = &sso.FailedError{Reason: no.Reason}
	case err == nil || errors.As(err, &away):
		if away != nil {
			failed = &sso.FailedError{Reason: away.Reason}
		}
		if err := h.store.TakeBack(ctx, guesses); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	id, err := h.keepTestOf(ctx, caller(ctx).Subject, c, found.Person, found.Claims(), failed)
	if err == nil {
		err = h.change(ctx, func(tx *store.Tx) error {
			return h.record(ctx, tx, "sso-connection.tested", "sso-connection", c.ID, c.Name, nil, nil)
		})
	}
	return TestSsoConnection200JSONResponse{Test: &id}, err
}
