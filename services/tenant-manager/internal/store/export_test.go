package store

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/db"
)

// AuditBothWays returns a page of the trail in each way in which it can be read, as the
// sequences of the entries, and the cursors of the pages after them.
func (o *Org) AuditBothWays(ctx context.Context, f AuditFilter, p db.PageRequest) (pages [2][]int64, next [2]string, err error) {
	first, second, err := o.newest(ctx, f)
	if err != nil {
		return pages, next, err
	}
	p.Descending, p.Unique = true, true
	for i, q := range []db.Query[auditEntry]{first, second} {
		rows, err := q.Page(ctx, p, "sequence")
		if err != nil {
			return pages, next, err
		}
		for _, r := range rows.Items {
			pages[i] = append(pages[i], r.Sequence)
		}
		next[i] = rows.Next
	}
	return pages, next, nil
}

// AuditWithin returns a page of what a search finds, which looks at so many entries.
func (o *Org) AuditWithin(ctx context.Context, f AuditFilter, p db.PageRequest, span int64) (AuditPage, error) {
	p.Descending, p.Unique = true, true
	return o.searchAudit(ctx, f, p, span)
}
