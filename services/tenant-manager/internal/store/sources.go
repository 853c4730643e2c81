package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Local is the source of users who were invited or made by hand. Those of others
// begin with [FromSSO] or [FromSCIM], and end with the id of the connection or
// directory.
const (
	Local    = "local"
	FromSSO  = "sso:"
	FromSCIM = "scim:"
)

// placeUser notes where a user comes from: the directory that keeps them, else the
// connection that they were first linked to, else nowhere else.
func (t *Tx) placeUser(ctx context.Context, user string) error {
	source := Local
	r, err := db.From[SCIMResource](t.scope).Where("resource_id = ? AND kind = ?", user, KindUser).First(ctx)
	switch {
	case err == nil:
		source = FromSCIM + r.DirectoryID
	case !IsNotFound(err):
		return err
	default:
		i, err := db.From[SSOIdentity](t.scope).Where("user_id = ?", user).Order("created_at", false).Order("id", false).First(ctx)
		if err == nil {
			source = FromSSO + i.ConnectionID
		} else if !IsNotFound(err) {
			return err
		}
	}
	_, err = db.From[User](t.scope).Where("id = ? AND source <> ?", user, source).Update(ctx, db.Changes{"source": source})
	return err
}

// sourceGone notes where the users of a source come from now that it is gone.
func (t *Tx) sourceGone(ctx context.Context, source string) error {
	n, err := db.From[User](t.scope).Where("source = ?", source).Update(ctx, db.Changes{"source": Local})
	if err != nil || n == 0 {
		return err
	}
	var connections []string
	if err := db.From[SSOIdentity](t.scope).Aggregate(ctx, &connections, "connection_id", "connection_id"); err != nil {
		return fmt.Errorf("reading who people are at connections: %w", err)
	}
	for _, c := range connections {
		_, err := db.From[User](t.scope).Where("source = ?", Local).
			In("id", db.From[SSOIdentity](t.scope).Where("connection_id = ?", c).Column("user_id")).
			Update(ctx, db.Changes{"source": FromSSO + c})
		if err != nil {
			return err
		}
	}
	return nil
}

// noteFactors notes whether a user has a second factor.
func (t *Tx) noteFactors(ctx context.Context, user string) error {
	n, err := db.From[Factor](t.scope).Where("user_id = ? AND confirmed_at IS NOT NULL", user).Count(ctx)
	if err != nil {
		return err
	}
	_, err = db.From[User](t.scope).Where("id = ? AND second_factor <> ?", user, n > 0).Update(ctx, db.Changes{"second_factor": n > 0})
	return err
}

// Source is where users can come from.
type Source struct {
	// Key is what is in a user's source.
	Key, Name string
}

// Sources returns the connections and directories that users can come from, by name.
func (o *Org) Sources(ctx context.Context) ([]Source, error) {
	var out []Source
	connections, err := db.From[SSOConnection](o.scope).Order("name_key", false).All(o.store.secrets(ctx))
	if err != nil {
		return nil, err
	}
	for _, c := range connections {
		out = append(out, Source{FromSSO + c.ID, c.Name})
	}
	directories, err := db.From[SCIMDirectory](o.scope).Order("name_key", false).All(ctx)
	for _, d := range directories {
		out = append(out, Source{FromSCIM + d.ID, d.Name})
	}
	return out, err
}

// SourceNamed returns the key of a source that is called by its id or name, such as
// "scim:Okta"; ok is false where there is none.
func SourceNamed(all []Source, called string) (key string, ok bool) {
	for _, s := range all {
		kind, _, _ := strings.Cut(s.Key, ":")
		if s.Key == called || Fold(kind+":"+s.Name) == Fold(called) {
			return s.Key, true
		}
	}
	return "", false
}
