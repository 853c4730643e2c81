package events

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// Organizations is the name under which changes of organizations are consumed.
const Organizations = tenancy.Durable

// FollowOrganizations forgets the traffic of organizations that are over, until
// ctx ends.
func FollowOrganizations(ctx context.Context, b *bus.Bus, s store.Store) error {
	return bus.Consume(ctx, b, Organizations, func(ctx context.Context, e tenant.OrganizationChanged) error {
		list, err := bus.Ask(ctx, b, tenant.Organizations{IDs: []string{e.Organization}})
		if err != nil {
			return fmt.Errorf("asking for organizations: %w", err)
		}
		for _, o := range list.Purged {
			if err := s.Forget(ctx, o.ID); err != nil {
				return fmt.Errorf("purging organization %s: %w", o.Slug, err)
			}
		}
		return nil
	})
}

// FollowOwners has this replica learn anew whose traffic is whose, whenever an
// organization changed, until ctx ends.
func (i *Intake) FollowOwners(ctx context.Context) error {
	return bus.Listen(ctx, i.bus, func(context.Context, tenant.OrganizationChanged) { i.owners.forget() }, i.owners.forget)
}

const (
	exportRecords = 100
	exportBytes   = 600 << 10
)

// seen is the last record of a portion.
type seen struct {
	Time int64  `json:"t"`
	ID   string `json:"i"`
}

// export hands out traffic records as the gateways wrote them, newest first.
func export(ctx context.Context, s store.Store, ask tenant.Portion) (tenant.Exported, error) {
	if ask.Organization == "" {
		return tenant.Exported{}, problem.New(problem.CodeInvalidInput, "no organization is named")
	}
	search := store.Search{Filter: analysis.Filter{Organization: ask.Organization}, Limit: exportRecords}
	if ask.Cursor != "" {
		var last seen
		raw, err := base64.RawURLEncoding.DecodeString(ask.Cursor)
		if err != nil || json.Unmarshal(raw, &last) != nil {
			return tenant.Exported{}, problem.New(problem.CodeInvalidInput, "the cursor is not one of an export")
		}
		search.After = &store.Position{Time: time.UnixMicro(last.Time).UTC(), ID: last.ID}
	}
	rows, err := s.List(ctx, search)
	if err != nil {
		return tenant.Exported{}, asProblem(err)
	}
	out := tenant.Exported{Kind: "traffic"}
	for n, r := range rows {
		record, err := s.Record(ctx, store.Where{Organization: ask.Organization, ID: r.ID})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // it was forgotten meanwhile
			return out, asProblem(err)
		}
		if len(out.Rows) > 0 && len(out.Rows)+len(record) > exportBytes {
			return out, nil
		}
		if err == nil && len(record) < exportBytes { // no gateway writes longer ones
			out.Rows = append(append(out.Rows, record...), '\n')
		}
		if n+1 < len(rows) || len(rows) == exportRecords {
			raw, err := json.Marshal(seen{r.Time.UnixMicro(), r.ID})
			if err != nil {
				return out, fmt.Errorf("exporting traffic: %w", err)
			}
			out.Next = base64.RawURLEncoding.EncodeToString(raw)
		} else {
			out.Next = ""
		}
	}
	return out, nil
}
