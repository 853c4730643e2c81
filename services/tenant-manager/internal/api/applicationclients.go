package api

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// AnswerClients answers what the portal asks about the OAuth2 clients that are
// credentials of its applications.
func (h *Handlers) AnswerClients(b *bus.Bus) error {
	return errors.Join(
		bus.Answer(b, h.tokenServer), bus.Answer(b, h.makeClient), bus.Answer(b, h.rotateClient),
		bus.Answer(b, h.keepClients), bus.Answer(b, h.clientHolders), bus.Answer(b, h.clientToken),
	)
}

// holderOf returns the application whose credential a client is.
func holderOf(c store.OAuthClient) *OAuthClientHolder {
	if c.ApplicationID == "" {
		return nil
	}
	return &OAuthClientHolder{Id: c.ApplicationID, Name: c.ApplicationName}
}

// notOfApplication refuses what is done to a client elsewhere.
func notOfApplication(c store.OAuthClient) error {
	if c.ApplicationID == "" {
		return nil
	}
	return problem.New(problem.CodeConflict, "the client is a credential of the application %s: it is rotated and revoked in the developer portal, and can be disabled here", c.ApplicationName)
}

// keepsTo refuses changes of a client that is the credential of an application,
// other than of its status.
func (f *oauthFields) keepsTo(c store.OAuthClient) error {
	if c.ApplicationID == "" {
		return nil
	}
	was := oauthFieldsOf(c)
	var fields []problem.Field
	now, old := reflect.ValueOf(*f), reflect.ValueOf(was)
	for i := range now.NumField() {
		name, _, _ := strings.Cut(now.Type().Field(i).Tag.Get("json"), ",")
		if name != "status" && !reflect.DeepEqual(now.Field(i).Interface(), old.Field(i).Interface()) {
			fields = append(fields, problem.Field{Pointer: "/" + name, Code: "immutable", Detail: "the client is a credential of the application " + c.ApplicationName + ": it is changed in the developer portal"})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return problem.Invalid("only the status of the client can be changed", fields...)
}

// gatewayKeys returns where gateways fetch the keys of an organization's tokens, ""
// where that is the address of everybody else.
func (h *Handlers) gatewayKeys(slug string) string {
	base := strings.TrimRight(h.opt.GatewayURL, "/")
	if base == "" {
		return ""
	}
	return base + strings.TrimPrefix(h.opt.OAuth.Issuer(slug), h.opt.OAuth.URL()) + "/jwks"
}

// server returns where the authorization server of an organization is. The error is
// a problem where there is none.
func (h *Handlers) server(ctx context.Context, organization string) (store.Organization, tenant.TokenServerAt, error) {
	var at tenant.TokenServerAt
	if h.opt.OAuth == nil {
		return store.Organization{}, at, oauth.Unavailable()
	}
	if organization == "" {
		return store.Organization{}, at, problem.New(problem.CodeBadRequest, "the request names no organization")
	}
	o, err := h.store.For(organization).Organization(ctx)
	if err != nil {
		return o, at, err
	}
	at.Issuer = h.opt.OAuth.Issuer(o.Slug)
	at.TokenEndpoint = at.Issuer + "/token"
	return o, at, nil
}

func (h *Handlers) tokenServer(ctx context.Context, q tenant.TokenServer) (tenant.TokenServerAt, error) {
	if h.opt.OAuth == nil {
		return tenant.TokenServerAt{}, nil
	}
	_, at, err := h.server(ctx, q.Organization)
	return at, err
}

// clientName makes the name of an application's client one that nobody else has.
func clientName(application, name, id string) string {
	clip := func(s string, most int) string {
		if r := []rune(s); len(r) > most {
			return string(r[:most])
		}
		return s
	}
	return clip(application, 50) + " / " + clip(name, 50) + " #" + id[max(len(id)-8, 0):]
}

// knownScopes returns those of some scopes that the organization has.
func knownScopes(ctx context.Context, o *store.Org, names []string) ([]string, error) {
	all, err := o.OAuthScopes(ctx)
	out := []string{}
	for _, name := range names {
		if slices.ContainsFunc(all, func(s store.OAuthScope) bool { return s.Name == name }) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, err
}

func sorted(list []string) []string {
	out := slices.Compact(slices.Sorted(slices.Values(list)))
	if out == nil {
		return []string{}
	}
	return out
}

func (h *Handlers) makeClient(ctx context.Context, q tenant.MakeClient) (tenant.MadeClient, error) {
	var out tenant.MadeClient
	o, at, err := h.server(ctx, q.Organization)
	if err != nil {
		return out, err
	}
	out.TokenServerAt = at
	if q.Application == "" {
		return out, problem.New(problem.CodeBadRequest, "the client is of no application")
	}
	err = h.store.Tx(ctx, o.ID, q.Actor.ID, func(tx *store.Tx) error {
		fields := newOAuthFields()
		fields.Name, fields.Audiences = store.NewID(), sorted(q.Audiences) // the id follows
		fields.Scopes, err = knownScopes(ctx, tx.Org, q.Scopes)
		if err != nil {
			return err
		}
		var c store.OAuthClient
		fields.into(&c)
		c.ApplicationID, c.ApplicationName = q.Application, q.ApplicationName
		if err := tx.CreateOAuthClient(ctx, &c); err != nil {
			return err
		}
		c.Name = clientName(q.ApplicationName, q.Name, c.ID)
		if err := tx.SaveOAuthClient(ctx, &c); err != nil {
			return err
		}
		secret, err := addOAuthSecret(ctx, tx, store.OAuthSecret{ClientID: c.ID}, time.Time{})
		if err != nil {
			return err
		}
		out.ClientID, out.Secret, out.Hint = c.ID, secret.Secret, secret.Hint
		return h.recordClient(ctx, tx, "oauth-client.created", q.Actor, c, nil, oauthClientOf(c))
	})
	return out, err
}

// recordClient is as record, for what the portal asked for.
func (h *Handlers) recordClient(ctx context.Context, tx *store.Tx, action string, by audit.Actor, c store.OAuthClient, before, after any) error {
	return h.kit.Audit(ctx, tx.DB(), service.Entry{
		Action: action, Target: audit.Target{Kind: "oauth-client", ID: c.ID, Name: c.Name}, Before: before, After: after, Organization: tx.ID(),
		Actor: by, Via: audit.ViaService,
	})
}

// ofApplication returns a client of an application.
func ofApplication(ctx context.Context, o *store.Org, application, id string) (store.OAuthClient, error) {
	c, err := o.OAuthClient(ctx, id)
	if err == nil && (application == "" || c.ApplicationID != application) || store.IsNotFound(err) {
		return c, problem.New(problem.CodeNotFound, "the application has no such OAuth2 client")
	}
	return c, err
}

func (h *Handlers) rotateClient(ctx context.Context, q tenant.RotateClient) (tenant.MadeClient, error) {
	var out tenant.MadeClient
	o, at, err := h.server(ctx, q.Organization)
	if err != nil {
		return out, err
	}
	out.TokenServerAt, out.ClientID = at, q.ClientID
	err = h.store.Tx(ctx, o.ID, q.Actor.ID, func(tx *store.Tx) error {
		c, err := ofApplication(ctx, tx.Org, q.Application, q.ClientID)
		if err != nil {
			return err
		}
		made, err := addOAuthSecret(ctx, tx, store.OAuthSecret{ClientID: c.ID}, h.store.Now().Add(time.Duration(q.Overlap)*time.Second))
		if err != nil {
			return err
		}
		out.Secret, out.Hint = made.Secret, made.Hint
		return h.recordClient(ctx, tx, "oauth-client.secret-created", q.Actor, c, nil, OAuthSecret{Id: made.Id, Hint: made.Hint, CreatedAt: made.CreatedAt, CreatedBy: made.CreatedBy})
	})
	h.forgetClient(q.ClientID)
	return out, err
}

func (h *Handlers) keepClients(ctx context.Context, q tenant.KeepClients) (tenant.ClientsKept, error) {
	var out tenant.ClientsKept
	if q.Application == "" || q.Organization == "" {
		return out, problem.New(problem.CodeBadRequest, "the request names no application")
	}
	kept := make(map[string]tenant.KeptClient, len(q.Clients))
	for _, c := range q.Clients {
		kept[c.ClientID] = c
	}
	var touched []string
	err := h.store.Tx(ctx, q.Organization, "", func(tx *store.Tx) error {
		out, touched = tenant.ClientsKept{}, nil
		rows, err := tx.OAuthClientsOf(ctx, q.Application)
		if err != nil {
			return err
		}
		for _, c := range rows {
			before := oauthClientOf(c)
			want, stays := kept[c.ID]
			if !stays {
				if err := tx.DeleteOAuthClient(ctx, c.ID, c.Version); err != nil {
					return fmt.Errorf("deleting a client of an application: %w", err)
				}
				out.Deleted++
				touched = append(touched, c.ID)
				if err := h.recordClient(ctx, tx, "oauth-client.deleted", audit.Actor{}, c, before, nil); err != nil {
					return err
				}
				continue
			}
			scopes, err := knownScopes(ctx, tx.Org, want.Scopes)
			if err != nil {
				return err
			}
			name, audiences := clientName(q.ApplicationName, want.Name, c.ID), sorted(want.Audiences)
			if c.Name == name && c.ApplicationName == q.ApplicationName && slices.Equal(sorted(c.Scopes), scopes) && slices.Equal(sorted(c.Audiences), audiences) {
				continue
			}
			c.Name, c.ApplicationName, c.Scopes, c.Audiences = name, q.ApplicationName, scopes, audiences
			if err := tx.SaveOAuthClient(ctx, &c); err != nil {
				return err
			}
			out.Changed++
			touched = append(touched, c.ID)
			if err := h.recordClient(ctx, tx, "oauth-client.updated", audit.Actor{}, c, before, oauthClientOf(c)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, id := range touched {
		h.forgetClient(id)
	}
	return out, err
}

func (h *Handlers) clientHolders(ctx context.Context, q tenant.ClientHolders) (tenant.ClientHolderList, error) {
	out := tenant.ClientHolderList{Applications: []string{}}
	if q.Organization == "" {
		return out, nil
	}
	var err error
	out.Applications, err = h.store.For(q.Organization).OAuthApplications(ctx)
	return out, err
}

func (h *Handlers) clientToken(ctx context.Context, q tenant.ClientToken) (tenant.IssuedToken, error) {
	var out tenant.IssuedToken
	o, _, err := h.server(ctx, q.Organization)
	if err != nil {
		return out, err
	}
	if _, err := ofApplication(ctx, h.store.For(o.ID), q.Application, q.ClientID); err != nil {
		return out, err
	}
	out.Token, out.ExpiresAt, err = h.opt.OAuth.TokenOf(ctx, o.Slug, q.ClientID)
	return out, err
}
