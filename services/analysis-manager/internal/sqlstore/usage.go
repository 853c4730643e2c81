package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// span is a time for which sums of one resolution are read; seconds.
type span struct {
	resolution int
	from, to   int64
}

// spans covers a time with whole hours, where the steps of the series allow it,
// and minutes at both ends.
func spans(from, to time.Time, interval time.Duration) []span {
	a, b := from.Unix(), to.Unix()
	a -= a % minute
	b += (minute - b%minute) % minute
	first, last := a+(hour-a%hour)%hour, b-b%hour
	if first >= last || interval%time.Hour != 0 {
		return []span{{minute, a, b}}
	}
	var out []span
	for _, s := range []span{{minute, a, first}, {hour, first, last}, {minute, last, b}} {
		if s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}

const (
	sumColumns  = "time_s, status, requests, refused, request_bytes, response_bytes, max_us, newest_us, duration, gateway_time"
	nameColumns = sumColumns + ", api, operation, plan, application, gateway, error_code, api_name, operation_name, application_name"
	defaultTop  = 10
)

// Usage adds up the sums.
func (s *Store) Usage(ctx context.Context, u store.Usage) (analysis.UsageReport, error) {
	columns := sumColumns
	if len(u.Top) > 0 {
		columns = nameColumns
	}
	b := newReport(u)
	for _, sp := range spans(u.Filter.From, u.Filter.To, u.Interval) {
		f := u.Filter
		q := in(db.From[rollup](s.db.For(f.Organization).Stale()), u.Allowed).
			Where("resolution = ? AND time_s >= ? AND time_s < ?", sp.resolution, sp.from, sp.to)
		q = among(q, "project", f.Projects)
		q = among(q, "environment", f.Environments)
		q = among(q, "api", f.APIs)
		q = among(q, "operation", f.Operations)
		q = among(q, "application", f.Applications)
		q = among(q, "plan", f.Plans)
		var rows []rollup
		if err := bounded(ctx, func(ctx context.Context) error { return q.Aggregate(ctx, &rows, columns, "") }); err != nil {
			return analysis.UsageReport{}, fmt.Errorf("reading sums: %w", err)
		}
		for i := range rows {
			if err := b.add(&rows[i]); err != nil {
				return analysis.UsageReport{}, fmt.Errorf("reading sums: %w", err)
			}
		}
	}
	return b.report(), nil
}

// builder adds rows up.
type builder struct {
	usage  store.Usage
	first  time.Time
	total  tally
	series []tally
	tops   map[string]map[leader]*tally
}

// leader names one of a dimension. The API tells operations of the same name
// apart.
type leader struct{ key, api string }

// tally is a sum that counts the statuses.
type tally struct {
	cell
	classes [6]int64
	name    string
	named   int64 // when it had that name
}

func newReport(u store.Usage) *builder {
	b := &builder{usage: u, tops: map[string]map[leader]*tally{}}
	var n int
	b.first, n = store.Steps(u.Filter.From, u.Filter.To, u.Interval)
	b.series = make([]tally, n)
	for _, d := range u.Top {
		b.tops[d] = map[leader]*tally{}
	}
	return b
}

func (b *builder) add(r *rollup) error {
	c, err := r.cell()
	if err != nil {
		return fmt.Errorf("row %s: %w", r.ID, err)
	}
	b.total.add(c, r.Status)
	if len(b.series) > 0 {
		step := int(time.Unix(r.TimeS, 0).Sub(b.first) / b.usage.Interval)
		b.series[max(0, min(step, len(b.series)-1))].add(c, r.Status)
	}
	for d, leaders := range b.tops {
		l, name := dimension(d, r)
		if l.key == "" {
			continue
		}
		t := leaders[l]
		if t == nil {
			t = &tally{}
			leaders[l] = t
		}
		t.add(c, r.Status)
		if r.NewestUs >= t.named {
			t.named, t.name = r.NewestUs, name
		}
	}
	return nil
}

// dimension returns which of a dimension a row belongs to, and its name.
func dimension(d string, r *rollup) (leader, string) {
	switch d {
	case "api":
		return leader{key: r.API}, r.APIName
	case "operation":
		return leader{r.Operation, r.API}, r.OperationName
	case "application":
		return leader{key: r.Application}, r.ApplicationName
	case "plan":
		return leader{key: r.Plan}, ""
	case "status":
		return leader{key: strconv.Itoa(r.Status)}, ""
	case "gateway":
		return leader{key: r.Gateway}, ""
	case "errorCode":
		return leader{key: r.ErrorCode}, ""
	}
	return leader{}, ""
}

func (t *tally) add(c *cell, status int) {
	t.merge(c)
	t.classes[min(max(status/100, 0), 5)] += c.requests
}

func (t *tally) sums() analysis.Sums {
	return analysis.Sums{
		Requests: t.requests, Status2xx: t.classes[2], Status3xx: t.classes[3], Status4xx: t.classes[4], Status5xx: t.classes[5],
		Refused: t.refused, RequestBytes: t.requestBytes, ResponseBytes: t.responseBytes,
		P50: t.duration.Quantile(0.5), P95: t.duration.Quantile(0.95), P99: t.duration.Quantile(0.99), Max: t.max,
		GatewayP95: t.gatewayTime.Quantile(0.95),
	}
}

func (b *builder) report() analysis.UsageReport {
	r := analysis.UsageReport{Total: b.total.sums()}
	if b.total.newest > 0 {
		r.Newest = micros(b.total.newest)
	}
	for i := range b.series {
		r.Series = append(r.Series, analysis.Point{Time: b.first.Add(time.Duration(i) * b.usage.Interval).UTC(), Sums: b.series[i].sums()})
	}
	limit := b.usage.Limit
	if limit <= 0 {
		limit = defaultTop
	}
	for d, leaders := range b.tops {
		list := make([]analysis.Top, 0, len(leaders))
		for l, t := range leaders {
			list = append(list, analysis.Top{Key: l.key, API: l.api, Name: t.name, Sums: t.sums()})
		}
		slices.SortFunc(list, func(x, y analysis.Top) int {
			return cmp.Or(cmp.Compare(y.Requests, x.Requests), cmp.Compare(x.Key, y.Key), cmp.Compare(x.API, y.API))
		})
		if r.Top == nil {
			r.Top = map[string][]analysis.Top{}
		}
		r.Top[d] = list[:min(limit, len(list))]
	}
	return r
}
