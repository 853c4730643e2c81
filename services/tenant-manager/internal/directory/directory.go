// Package directory asks LDAP directories, Active Directory among them, who
// somebody is and whether a password is theirs (RFC 4511, RFC 4513). It keeps
// nothing and knows no user.
package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Login is what somebody typed in.
type Login struct {
	// Name is an e-mail address, or the name of a user.
	Name     string
	Password string
	// Admit, where not nil, is asked before the password is tried with an entry. Its
	// error is that of the sign-in, and the directory is not asked.
	Admit func(ctx context.Context, dn string) error
}

// Found is whom a directory knows.
type Found struct {
	sso.Person
	DN string
	// Attributes are those of the entry that are shown to who tests a connection;
	// none where they were not asked for.
	Attributes map[string][]string
}

// Claims returns what was received, for who tests a connection.
func (f Found) Claims() map[string]any {
	return map[string]any{"dn": f.DN, "subject": f.Subject, "attributes": f.Attributes, "groups": f.Groups}
}

// UnavailableError says why no directory could be asked: none answers, or the
// settings are not right. It is for administrators.
type UnavailableError struct{ Reason string }

// Error returns the reason.
func (e *UnavailableError) Error() string { return e.Reason }

// RefusedError says why a directory does not let somebody in. It is for
// administrators.
type RefusedError struct{ Reason string }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Client asks directories. It is safe for concurrent use.
type Client struct {
	// Slow, where not nil, is told of each password before a directory is asked
	// whether it is right.
	Slow func()

	guard egress.Guard
	now   func() time.Time

	mu     sync.Mutex
	failed map[string]time.Time // servers that did not answer, by address
}

const (
	// askTimeout bounds all that is asked for one sign-in, connectTimeout the way to
	// one server, answerTimeout one answer.
	askTimeout     = 15 * time.Second
	connectTimeout = 4 * time.Second
	answerTimeout  = 5 * time.Second
	// mostAnswered bounds what one connection may bring, in bytes.
	mostAnswered = 8 << 20
	// avoided is how long a server that did not answer is asked after the others.
	avoided    = 30 * time.Second
	mostFailed = 1000
)

// NewClient returns a client that goes where the guard lets it.
func NewClient(guard egress.Guard, now func() time.Time) *Client {
	return &Client{guard: guard, now: now, failed: map[string]time.Time{}}
}

// SignIn looks somebody up, and tries their password. bindPassword is that of the
// account that looks people up. The error is an [UnavailableError] or a
// [RefusedError].
//
// An empty password is refused without asking: to a directory it is a bind without
// a name, which most take as right (RFC 4513 section 5.1.2).
func (c *Client) SignIn(ctx context.Context, s store.LDAPSettings, bindPassword string, l Login) (Found, error) {
	return c.signIn(ctx, s, bindPassword, l, false)
}

// Try is as [Client.SignIn], and brings the attributes of the entry.
func (c *Client) Try(ctx context.Context, s store.LDAPSettings, bindPassword string, l Login) (Found, error) {
	return c.signIn(ctx, s, bindPassword, l, true)
}

func (c *Client) signIn(ctx context.Context, s store.LDAPSettings, bindPassword string, l Login, all bool) (Found, error) {
	// Servers written in C may see an empty password in what begins with a zero.
	if l.Password == "" || strings.ContainsRune(l.Password, 0) {
		return Found{}, &RefusedError{"the password is empty, which a directory would take for a sign-in without a name"}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var reasons []string
	for _, address := range c.inOrder(s.URLs) {
		found, err := c.signInAt(ctx, address, s, bindPassword, l, all)
		var down *downError
		isDown := errors.As(err, &down)
		c.note(address, isDown)
		if !isDown {
			return found, err
		}
		reasons = append(reasons, down.Error())
		if ctx.Err() != nil {
			break
		}
	}
	return Found{}, &UnavailableError{strings.Join(reasons, "; ")}
}

// inOrder returns the addresses of servers as they were given, but first those
// that were not seen to fail just now.
func (c *Client) inOrder(addresses []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := slices.Clone(addresses)
	late := func(a string) int {
		if t, ok := c.failed[a]; ok && c.now().Sub(t) < avoided {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b string) int { return late(a) - late(b) })
	return out
}

func (c *Client) note(address string, isDown bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !isDown {
		delete(c.failed, address)
		return
	}
	if len(c.failed) >= mostFailed {
		clear(c.failed)
	}
	c.failed[address] = c.now()
}

// signInAt asks one server. The error is also a downError.
func (c *Client) signInAt(ctx context.Context, address string, s store.LDAPSettings, bindPassword string, l Login, all bool) (Found, error) {
	conn, closeConn, err := c.connect(ctx, address, s)
	if err != nil {
		return Found{}, err
	}
	defer closeConn()
	a := &asking{conn: conn, address: address, s: s, bindPassword: bindPassword}
	if err := a.bindAsSelf(); err != nil {
		return Found{}, err
	}
	e, err := a.entry(l.Name, all)
	if err != nil {
		var refused *RefusedError
		if errors.As(err, &refused) {
			// It takes as long as where there is somebody.
			c.slow()
			a.tryNobody(l.Password)
		}
		return Found{}, err
	}
	if l.Admit != nil {
		if err := l.Admit(ctx, e.DN); err != nil {
			c.slow()
			a.tryNobody(l.Password)
			return Found{}, err
		}
	}
	c.slow()
	if err := a.tryPassword(e, l.Password); err != nil {
		return Found{}, err
	}
	found, err := personOf(e, s, l.Name)
	if err != nil {
		return Found{}, err
	}
	if all {
		found.Attributes = shown(e)
	}
	if s.GroupBase == "" {
		return found, nil
	}
	// Who looks for groups is the account that looks people up, which may see more
	// than the person.
	if err := a.bindAsSelf(); err != nil {
		return Found{}, err
	}
	found.Groups, err = a.groups(e, l.Name)
	return found, err
}

func (c *Client) slow() {
	if c.Slow != nil {
		c.Slow()
	}
}

// asking is one connection to a server.
type asking struct {
	conn         *ldap.Conn
	address      string
	s            store.LDAPSettings
	bindPassword string
}

// bindAsSelf binds as the account that looks people up; without one as nobody.
func (a *asking) bindAsSelf() error {
	if a.s.BindDN == "" {
		if err := a.conn.UnauthenticatedBind(""); err != nil {
			return a.wrong(err, "looking people up without an account")
		}
		return nil
	}
	err := a.conn.Bind(a.s.BindDN, a.bindPassword)
	if ldap.IsErrorWithCode(err, ldap.ErrorEmptyPassword) {
		return &UnavailableError{"the account " + a.s.BindDN + " has no password: give it one"}
	}
	if err != nil {
		return a.wrong(err, "signing in as "+a.s.BindDN)
	}
	return nil
}

// entry returns the one entry of somebody. The error is a [RefusedError] where
// there is none, or more than one.
func (a *asking) entry(name string, all bool) (*ldap.Entry, error) {
	filter := UserFilter(a.s.UserFilter, name)
	attributes := []string{a.s.EmailAttribute, a.s.NameAttribute, a.s.SubjectAttribute, "uid", "sAMAccountName"}
	if all {
		attributes = []string{"*", a.s.SubjectAttribute}
	}
	attributes = append(attributes, stateAttributes()...)
	// Two entries say that it is not one: no more are asked for.
	r := ldap.NewSearchRequest(a.s.UserBase, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, int(answerTimeout/time.Second), false, filter, attributes, nil)
	found, err := a.conn.Search(r)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, a.wrong(err, "looking below "+a.s.UserBase+", which is not there or may not be seen")
	case err != nil:
		return nil, a.wrong(err, "looking below "+a.s.UserBase+" for "+filter)
	case len(found.Entries) == 0:
		return nil, &RefusedError{"nobody below " + a.s.UserBase + " matches " + short(filter)}
	}
	if err != nil || len(found.Entries) != 1 {
		return nil, &RefusedError{"more than one entry below " + a.s.UserBase + " matches " + short(filter) + ": make the filter say whom it means"}
	}
	if found.Entries[0].DN == "" { // a bind to it would be one without a name
		return nil, &RefusedError{"the entry that matches " + short(filter) + " has no name"}
	}
	return found.Entries[0], nil
}

// tryPassword binds as somebody. The error is a [RefusedError] where the directory
// does not take the password, or the account is switched off.
// tryNobody takes as long as trying a password that is not right.
func (a *asking) tryNobody(password string) {
	_ = a.conn.Bind("cn="+rand.Text()+","+a.s.UserBase, password)
}

func (a *asking) tryPassword(e *ldap.Entry, password string) error {
	err := a.conn.Bind(e.DN, password)
	off := switchedOff(e, err != nil)
	switch {
	case err == nil && off == "":
		return nil
	case off != "":
		return &RefusedError{e.DN + ": " + off}
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultConstraintViolation, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultNoSuchObject):
		return &RefusedError{e.DN + ": " + whyRefused(err)}
	}
	return a.wrong(err, "trying the password of "+e.DN)
}
