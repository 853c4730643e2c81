package api

import (
	"context"
	"errors"
	"slices"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/directory"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// ways are how somebody can prove again who they are.
type ways struct {
	methods []ConfirmationMethod
	// directory is asked for their password; nil = it is kept here.
	directory *store.SSOConnection
	// providers are those that can be asked for a new proof.
	providers []store.SSOConnection
	// plain is a provider that cannot be; "" = there is none.
	plain string
}

func (w ways) has(m ConfirmationMethod) bool { return slices.Contains(w.methods, m) }

// waysOf returns how somebody can prove again who they are: by what lets them in, and
// by the second factors that they have.
func (h *Handlers) waysOf(ctx context.Context, u store.User) (w ways, err error) {
	org := h.store.For(u.OrganizationID)
	if w.directory, err = h.directoryOf(ctx, u); err != nil {
		return w, err
	}
	rule, err := h.ruleBinding(ctx, u)
	if err != nil {
		return w, err
	}
	if w.directory != nil || u.PasswordHash != "" && rule.ID == "" {
		w.methods = append(w.methods, ConfirmationMethodPassword)
	}
	rows, err := org.Factors(ctx, u.ID)
	if err != nil {
		return w, err
	}
	for kind, method := range map[string]ConfirmationMethod{factor.TOTP: ConfirmationMethodTotp, factor.Passkey: ConfirmationMethodPasskey} {
		if slices.ContainsFunc(rows, func(f store.Factor) bool { return f.Kind == kind }) {
			w.methods = append(w.methods, method)
		}
	}
	if len(rows) > 0 {
		left, err := org.RecoveryCodesLeft(ctx, u.ID)
		if err != nil {
			return w, err
		}
		if left > 0 {
			w.methods = append(w.methods, ConfirmationMethodRecovery)
		}
	}
	connections, err := org.SSOConnections(ctx)
	if err != nil {
		return w, err
	}
	for _, c := range connections {
		if !c.Enabled || c.Kind == store.LDAP {
			continue
		}
		linked, err := org.SSOLinked(ctx, c.ID, u.ID)
		switch {
		case err != nil:
			return w, err
		case !linked:
		case c.Kind == store.OAuth2:
			w.plain = c.Name
		default:
			w.providers = append(w.providers, c)
		}
	}
	if len(w.providers) > 0 {
		w.methods = append(w.methods, ConfirmationMethodSso)
	}
	slices.Sort(w.methods)
	return w, nil
}

// GetMyConfirmation says how the caller can prove again who they are.
func (h *Handlers) GetMyConfirmation(ctx context.Context, _ GetMyConfirmationRequestObject) (GetMyConfirmationResponseObject, error) {
	u, s, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	w, err := h.waysOf(ctx, u)
	if err != nil {
		return nil, err
	}
	without, err := h.withoutItsFactor(ctx, u, s)
	if err != nil {
		return nil, err
	}
	if without { // nothing else is enough
		w.methods = slices.DeleteFunc(w.methods, func(m ConfirmationMethod) bool { return m == ConfirmationMethodPassword || m == ConfirmationMethodSso })
		w.providers, w.plain = nil, ""
	}
	out := ConfirmationWays{Methods: w.methods, ConfirmedUntil: confirmedUntil(s), SignInAgain: ptr(w.plain), Connections: []SsoConnectionName{}}
	if out.Methods == nil {
		out.Methods = []ConfirmationMethod{}
	}
	if w.directory != nil {
		out.Directory = ptr(w.directory.Name)
	}
	for _, c := range w.providers {
		out.Connections = append(out.Connections, connectionNameOf(c))
	}
	return GetMyConfirmation200JSONResponse(out), nil
}

// rightPassword returns a problem unless a password is right that lets a user in: of
// the directory, for those whom that lets in alone.
func (h *Handlers) rightPassword(ctx context.Context, u store.User, password string) error {
	w, err := h.waysOf(ctx, u)
	if err != nil {
		return err
	}
	wrong := invalid("/password", "invalid", "this is not your password")
	switch {
	case !w.has(ConfirmationMethodPassword):
		return invalid("/password", "invalid", "no password lets you in here: see GET /me/confirmation for what does")
	case w.directory == nil:
		right, _, err := h.passwords.Verify(ctx, password, u.PasswordHash)
		if err == nil && !right {
			err = wrong
		}
		return err
	}
	c := *w.directory
	found, err := h.atDirectory(ctx, h.directory.SignIn, c, directory.Login{Name: u.Email, Password: password}, throttle.Account)
	var (
		away *directory.UnavailableError
		no   *directory.RefusedError
	)
	switch {
	case errors.As(err, &away):
		h.kit.Log.WarnContext(ctx, "a directory could not be asked", "connection", c.ID, "err", away)
		return problem.New(problem.CodeDependencyDown, "%s cannot be asked at the moment: try again in a while", c.Name)
	case errors.As(err, &no):
		return wrong
	case err != nil:
		return err
	}
	why, err := h.sameOne(ctx, c, found.Person, u.ID)
	if err == nil && why != "" {
		h.ssoRefused(ctx, c, u.ID, why)
		err = wrong
	}
	return err
}

// sameOne says why a person at a provider is not the user; "" = they are.
func (h *Handlers) sameOne(ctx context.Context, c store.SSOConnection, p sso.Person, user string) (string, error) {
	m, err := h.match(ctx, h.store.For(c.OrganizationID), c, p)
	if err != nil {
		return "", err
	}
	switch {
	case m.refused != "":
		return m.refused, nil
	case m.identity.ID == "" || m.user.ID != user:
		return "somebody else proved who they are than who is signed in", nil
	}
	return "", nil
}

// BeginSsoConfirmation says where to send the browser to for a new proof.
func (h *Handlers) BeginSsoConfirmation(ctx context.Context, r BeginSsoConfirmationRequestObject) (BeginSsoConfirmationResponseObject, error) {
	if err := h.asksOften(ctx); err != nil {
		return nil, err
	}
	u, _, err := h.myself(ctx)
	if err != nil {
		return nil, err
	}
	w, err := h.waysOf(ctx, u)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(w.providers, func(c store.SSOConnection) bool { return c.ID == r.Body.Connection })
	if i < 0 {
		return nil, problem.New(problem.CodeNotFound, "no such identity provider can be asked for a new proof of yours: see GET /me/confirmation")
	}
	c := w.providers[i]
	address, err := h.beginSSO(ctx, forSSOConfirm, c, store.Challenge{UserID: u.ID}, r.Body.Origin, r.Body.Binding, deref(r.Body.Next), u.Email)
	var failed *sso.FailedError
	if errors.As(err, &failed) {
		h.kit.Log.WarnContext(ctx, "an identity provider could not be asked", "connection", c.ID, "err", failed)
		err = problem.New(problem.CodeDependencyDown, "%s cannot be reached: try again in a while", c.Name)
	}
	return BeginSsoConfirmation200JSONResponse{Address: address}, err
}

// confirmBySSO takes a new proof of whoever began. What is wrong with it is told to
// administrators; the page learns only that it was none.
func (h *Handlers) confirmBySSO(
	ctx context.Context, c store.SSOConnection, ch store.Challenge, begun ssoBegun, claims map[string]any, failed *sso.FailedError,
) (FinishSsoSignInResponseObject, error) {
	out := FinishSsoSignIn200JSONResponse{Confirmed: new(false), Next: ptr(begun.Next)}
	org := h.store.For(c.OrganizationID)
	why := ""
	if failed != nil {
		why = failed.Reason
	} else if err := sso.Proven(claims, ch.ExpiresAt.Add(-ssoLifetime)); err != nil {
		why = err.Error()
	} else if why, err = h.sameOne(ctx, c, personOf(c, claims), ch.UserID); err != nil {
		return nil, err
	}
	s, err := org.Session(ctx, begun.Session)
	if store.IsNotFound(err) || err == nil && s.UserID != ch.UserID {
		return nil, refused(ssoOver)
	}
	if err != nil {
		return nil, err
	}
	if why != "" {
		h.ssoRefused(ctx, c, ch.UserID, why)
		return out, nil
	}
	out.Confirmed = new(true)
	u, err := org.User(ctx, ch.UserID)
	if err != nil {
		return nil, err
	}
	methods := append([]string{factor.ByFederation}, personOf(c, claims).Methods...)
	return out, h.store.Tx(ctx, c.OrganizationID, ch.UserID, func(tx *store.Tx) error {
		if err := tx.ConfirmSession(ctx, s.ID, string(factor.Methods(s.AMR).With(methods...))); err != nil {
			return err
		}
		return h.recordUser(ctx, tx, "session.confirmed", u, false)
	})
}
