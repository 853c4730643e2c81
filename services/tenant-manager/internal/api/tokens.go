package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// inPerson are the operations that a person signs in for: what proves who somebody
// is, and what lets somebody in. By a personal token they are refused, because
// whoever found it could make more of it than it is.
var inPerson = map[string]bool{
	"CompleteSetup": true, "UpdateMe": true, "ChangePassword": true, "ChangeMyEmail": true, "ChangeUserEmail": true, "SignOut": true, "ConfirmMe": true, "GetMyConfirmation": true, "BeginSsoConfirmation": true, "AskMyPasskey": true,
	"ListMySessions": true, "EndMySession": true, "EndMyOtherSessions": true,
	"ListMyFactors": true, "CreateMyTotp": true, "ActivateMyTotp": true, "AskNewPasskey": true, "CreateMyPasskey": true, "RenameMyFactor": true,
	"DeleteMyFactor": true, "CreateMyRecoveryCodes": true,
	"ListMyConsents": true, "DeleteMyConsent": true, "GetOAuthAuthorization": true, "DecideOAuthAuthorization": true,
	"CreateMyToken": true, "CreateServiceAccountToken": true, "CreateAccessRequest": true,
	"CreatePasswordLink": true, "ResetUserFactors": true, "ActOnUsers": true, "ImpersonateUser": true,
	"CreateSsoConnection": true, "UpdateSsoConnection": true, "TestSsoConnection": true,
	"GetOAuthDevice": true, "DecideOAuthDevice": true, "GetMyDeviceSignIn": true, "DecideMyDeviceSignIn": true,
	"CreateScimDirectory": true, "UpdateScimDirectory": true, "CreateScimToken": true,
	"UpdateDomain": true, "VerifyPlatformDomain": true, "SwitchOrganization": true,
}

// inWhole are the operations of which something stays that may do as much as who
// made it: the accounts that a connection lets in are held against them.
var inWhole = map[string]bool{
	"CreateSsoConnection": true, "UpdateSsoConnection": true, "CreateScimDirectory": true, "UpdateScimDirectory": true, "CreateScimToken": true,
	"UpdateDomain": true,
}

func (h *Handlers) withPerson(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	if !inPerson[operation] {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		ctx := c.Request().Context()
		p, ok := authn.From(ctx)
		if ok && p.Kind == authn.User && p.Token != "" {
			return nil, problem.New(problem.CodeAccessDenied, "this is for people who are signed in, not for their tokens: sign in")
		}
		if ok && !whileWaiting[operation] {
			if err := h.waitsForNothing(ctx, p); err != nil {
				return nil, err
			}
		}
		if ok && inWhole[operation] {
			if err := h.whole(ctx, h.mine(ctx)); err != nil {
				return nil, err
			}
		}
		return next(c, request)
	}
}

// exchangePersonal gives a person an access token for their own token. They must be
// able to sign in now, as far as the policy is about that.
func (h *Handlers) exchangePersonal(ctx context.Context, secret string) (out ServiceAccess, err error) {
	k, err := h.store.PersonalTokenByHash(ctx, token.Hash(secret))
	if err != nil {
		return out, noToken(err)
	}
	org := h.store.For(k.OrganizationID)
	u, err := org.User(ctx, k.UserID)
	if err != nil {
		return out, noToken(err)
	}
	o, err := org.Organization(ctx)
	if err != nil {
		return out, err
	}
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return out, err
	}
	why := ""
	switch {
	case u.Status != store.Active:
		why = "the user is disabled"
	case o.Suspended:
		why = "the organization is suspended"
	case !h.store.Now().Before(k.Ends(policy)):
		why = "the token has run out"
	}
	if why != "" {
		return out, h.tokenRefused(ctx, o.ID, k.ID, "user.token-refused", audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, why)
	}
	if err := h.comesFrom(ctx, org, u, policy); err != nil {
		return out, err
	}
	lacks, err := h.lacksFactor(ctx, org, u, policy)
	if err != nil {
		return out, err
	}
	if lacks {
		return out, problem.New(problem.CodeAccessDenied, "your organization asks for a second factor: sign in and set one up, after that the token works again")
	}
	from, err := h.bound(ctx, org, u, policy)
	if err != nil {
		return out, err
	}
	if err := org.UsedPersonalToken(ctx, k, httpx.Address(ctx)); err != nil {
		return out, err
	}
	accessToken, err := h.issuer.Token(ctx, authn.Principal{
		Organization: o.ID, OrganizationSlug: o.Slug, Subject: u.ID, Kind: authn.User, Session: k.ID, Token: k.Name, Name: u.Name, Email: u.Email,
	})
	return ServiceAccess{
		AccessToken: accessToken, ExpiresIn: int(authn.Lifetime / time.Second), User: new(userName(u)), Organization: organizationName(o),
		AllowedAddresses: some(from),
	}, err
}

func noToken(err error) error {
	if store.IsNotFound(err) {
		return errNoToken
	}
	return err
}

// madeFor returns what a token is made for, of what its owner holds. The error is a
// problem of the field.
func (h *Handlers) madeFor(held access.Holding, permissions []string, project, environment string) (store.Token, error) {
	mine := access.All(held, h.store.Now())
	for i, p := range permissions {
		at := fmt.Sprintf("/permissions/%d", i)
		if err := access.Check(p); err != nil {
			return store.Token{}, invalid(at, "invalid", "%s", err)
		}
		has := slices.ContainsFunc(access.Expand([]string{p}), func(name string) bool {
			base, _ := access.SplitEnvironment(name)
			return slices.Contains(mine, base)
		})
		if !has {
			return store.Token{}, invalid(at, "invalid", "whom the token is for has not the permission %s anywhere, and a token gives none: leave it out", p)
		}
	}
	return store.Token{Permissions: access.Normalize(permissions), ProjectID: project, EnvironmentID: environment}, nil
}

func personalTokensOf(rows []store.PersonalToken, p store.SecurityPolicy) []PersonalToken {
	out := make([]PersonalToken, len(rows))
	for i, k := range rows {
		out[i] = personalTokenOf(k, p)
	}
	return out
}

// ListMyTokens returns the caller's tokens.
func (h *Handlers) ListMyTokens(ctx context.Context, _ ListMyTokensRequestObject) (ListMyTokensResponseObject, error) {
	p, org := caller(ctx), h.mine(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := org.PersonalTokens(ctx, p.Subject)
	return ListMyTokens200JSONResponse{Items: personalTokensOf(rows, policy), Allowed: policy.PersonalTokens, MaximumDays: policy.PersonalTokenDays}, err
}

// mostTokens bounds the tokens of one user.
const mostTokens = 100

// CreateMyToken makes a token for the caller, which is in this answer only.
func (h *Handlers) CreateMyToken(ctx context.Context, r CreateMyTokenRequestObject) (CreateMyTokenResponseObject, error) {
	u, _, err := h.confirmed(ctx)
	if err != nil {
		return nil, err
	}
	org, now, expires := h.mine(ctx), h.store.Now(), r.Body.ExpiresAt.UTC()
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	last := now.AddDate(0, 0, policy.PersonalTokenDays)
	switch {
	case !policy.PersonalTokens:
		return nil, problem.New(problem.CodeAccessDenied, "your organization does not let people have tokens: ask an administrator, or for a service account")
	case !expires.After(now):
		return nil, invalid("/expiresAt", "minimum", "it is over already: name a time in the future")
	case expires.After(last.Add(time.Minute)): // clocks differ
		return nil, invalid("/expiresAt", "maximum", "your organization lets personal tokens last %d days at most: name a time not after %s", policy.PersonalTokenDays, last.UTC().Format(time.RFC3339))
	}
	if err := h.cameBySSO(ctx, org, u); err != nil {
		return nil, err
	}
	held, err := h.held(ctx, org)
	if err != nil {
		return nil, err
	}
	narrowed, err := h.madeFor(held, deref(r.Body.Permissions), deref(r.Body.Project), deref(r.Body.Environment))
	if err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createMyToken", r.Body, func(tx *store.Tx) (PersonalTokenCreated, error) {
		rows, err := tx.PersonalTokens(ctx, u.ID)
		if err != nil {
			return PersonalTokenCreated{}, err
		}
		if len(rows) >= mostTokens {
			return PersonalTokenCreated{}, problem.New(problem.CodeConflict, "you have %d tokens, and that is as many as there can be: revoke one that you do not use", len(rows))
		}
		secret := token.NewPersonal()
		k := store.PersonalToken{Token: narrowed, UserID: u.ID}
		k.Name, k.Hash, k.Hint, k.ExpiresAt = r.Body.Name, token.Hash(secret), token.Hint(secret), &expires
		if err := tx.CreatePersonalToken(ctx, &k); err != nil {
			return PersonalTokenCreated{}, err
		}
		out := personalTokenOf(k, policy)
		return PersonalTokenCreated{
			Id: out.Id, Name: out.Name, Hint: out.Hint, ExpiresAt: out.ExpiresAt, Permissions: out.Permissions, Project: out.Project,
			Environment: out.Environment, CreatedAt: out.CreatedAt, Token: secret,
		}, h.record(ctx, tx, "user.token-created", "user", u.ID, u.Name, nil, out)
	})
	return CreateMyToken201JSONResponse(made), err
}

// DeleteMyToken revokes a token of the caller. A token revokes only itself.
func (h *Handlers) DeleteMyToken(ctx context.Context, r DeleteMyTokenRequestObject) (DeleteMyTokenResponseObject, error) {
	p := caller(ctx)
	if err := personal(p); err != nil {
		return nil, err
	}
	if p.Token != "" && p.Session != r.Id {
		return nil, problem.New(problem.CodeAccessDenied, "a token revokes only itself: sign in to revoke others")
	}
	return DeleteMyToken204Response{}, h.change(ctx, func(tx *store.Tx) error { return h.revoke(ctx, tx, p.Subject, r.Id) })
}

// ListUserTokens returns the tokens of a user.
func (h *Handlers) ListUserTokens(ctx context.Context, r ListUserTokensRequestObject) (ListUserTokensResponseObject, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	if _, err := org.User(ctx, r.Id); err != nil {
		return nil, err
	}
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := org.PersonalTokens(ctx, r.Id)
	return ListUserTokens200JSONResponse{Items: personalTokensOf(rows, policy)}, err
}

// DeleteUserToken revokes a token of a user.
func (h *Handlers) DeleteUserToken(ctx context.Context, r DeleteUserTokenRequestObject) (DeleteUserTokenResponseObject, error) {
	if err := authn.Require(ctx, "user:update", authn.Scope{}); err != nil {
		return nil, err
	}
	return DeleteUserToken204Response{}, h.change(ctx, func(tx *store.Tx) error {
		if err := h.mayManage(ctx, tx, r.Id); err != nil {
			return err
		}
		return h.revoke(ctx, tx, r.Id, r.Token)
	})
}

func (h *Handlers) revoke(ctx context.Context, tx *store.Tx, user, id string) error {
	u, err := tx.User(ctx, user)
	if err != nil {
		return err
	}
	k, err := tx.PersonalToken(ctx, u.ID, id)
	if err != nil {
		return err
	}
	policy, err := tx.SecurityPolicy(ctx)
	if err != nil {
		return err
	}
	if err := tx.DeletePersonalToken(ctx, u.ID, k.ID); err != nil {
		return err
	}
	return h.record(ctx, tx, "user.token-revoked", "user", u.ID, u.Name, personalTokenOf(k, policy), nil)
}
