package db

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// organizationColumn is in every table that belongs to organizations.
const organizationColumn = "organization_id"

var errNoOrganization = errors.New("query without an organization")

// Scope is what one organization may see and change. Queries are built with
// [From], and each carries the organization; there is no way from here to a
// query that does not.
type Scope struct {
	db           *DB
	organization string
	session      func(context.Context) *gorm.DB
}

// For returns what is the organization's. A query for the organization "" fails.
func (d *DB) For(organization string) *Scope {
	return &Scope{db: d, organization: organization, session: func(ctx context.Context) *gorm.DB { return d.session(ctx, false) }}
}

// Stale returns a scope whose reads may go to a replica, and so be some time
// behind: for lists and reports, not for what a caller has just written. Within
// a transaction it changes nothing.
func (s *Scope) Stale() *Scope {
	c := *s
	c.session = func(ctx context.Context) *gorm.DB {
		g := s.session(ctx)
		if _, in := g.Statement.ConnPool.(gorm.TxCommitter); in {
			return g
		}
		return s.db.session(ctx, true)
	}
	return &c
}

// Organization returns whose scope it is.
func (s *Scope) Organization() string { return s.organization }

// start begins a statement on T's table, with the organization's condition.
func start[T any](ctx context.Context, s *Scope) (*gorm.DB, *schema.Schema, error) {
	g, sch, err := begin[T](ctx, s)
	if err != nil {
		return nil, nil, err
	}
	return g.Where(ownedBy(sch, s.organization)), sch, nil
}

func ownedBy(sch *schema.Schema, organization string) clause.Expression {
	return clause.Eq{Column: clause.Column{Table: sch.Table, Name: organizationColumn}, Value: organization}
}

func begin[T any](ctx context.Context, s *Scope) (*gorm.DB, *schema.Schema, error) {
	if s.organization == "" {
		return nil, nil, errNoOrganization
	}
	// Hooks of a model would be handed gorm itself.
	g := s.session(ctx).Session(&gorm.Session{SkipHooks: true}).Model(new(T)).Omit(clause.Associations)
	sch, err := ownedSchema(g, new(T))
	return g, sch, err
}

// ownedSchema returns the table of a model, which must belong to organizations.
func ownedSchema(g *gorm.DB, model any) (*schema.Schema, error) {
	stmt := &gorm.Statement{DB: g}
	if err := stmt.Parse(model); err != nil {
		return nil, fmt.Errorf("reading model %T: %w", model, err)
	}
	if f := stmt.Schema.LookUpField(organizationColumn); f == nil || f.DBName != organizationColumn || f.DataType != schema.String {
		return nil, fmt.Errorf("table %s has no text column %s: it is no organization's; use Unscoped", stmt.Schema.Table, organizationColumn)
	}
	return stmt.Schema, nil
}

// Create inserts rows. Their organization is set; one that has another's is
// refused. It returns [ErrDuplicate] where a unique index is in the way, and
// [ErrReference] where a row they refer to is not there.
func Create[T any](ctx context.Context, s *Scope, rows ...*T) error {
	if len(rows) == 0 {
		return nil
	}
	g, sch, err := begin[T](ctx, s)
	if err != nil {
		return err
	}
	field := sch.LookUpField(organizationColumn)
	for _, r := range rows {
		v := reflectValue(r)
		if was, zero := field.ValueOf(ctx, v); !zero && was != s.organization {
			return fmt.Errorf("creating in %s: the row belongs to another organization", sch.Table)
		}
		if err := field.Set(ctx, v, s.organization); err != nil {
			return fmt.Errorf("creating in %s: %w", sch.Table, err)
		}
	}
	return classify(g.Create(rows).Error)
}
