package store

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/tenancy"
)

// Room refuses an application more than the organization may have.
func Room(ctx context.Context, tx *db.Tx, organization string) error {
	return tenancy.Room(ctx, tx, organization, tenant.ResourceApplications, func(ctx context.Context) (int64, error) {
		return applications(ctx, tx.For(organization))
	})
}

func applications(ctx context.Context, s *db.Scope) (int64, error) {
	return db.From[Application](s).Where("deleted_at IS NULL").Count(ctx)
}

// Holdings returns how much the organization has of what is kept here.
func Holdings(ctx context.Context, s *db.Scope) (tenant.Counts, error) {
	out := tenant.Counts{Counts: map[tenant.Resource]int64{}}
	n, err := applications(ctx, s)
	if err != nil {
		return out, err
	}
	out.Counts[tenant.ResourceApplications] = n
	out.Consumers, err = db.From[Application](s).Where("deleted_at IS NULL").
		In("id", db.From[Subscription](s).Where("status = ?", "active").Column("application_id")).Count(ctx)
	return out, err
}

// Exporter hands out what an organization has here. Of credentials it has what
// they are called and until when they hold.
func Exporter(d *db.DB) *tenancy.Exporter {
	return &tenancy.Exporter{DB: d, Skip: []string{"catalogue_apis", "catalogue_operations"}} // made of what gateway-manager has
}
