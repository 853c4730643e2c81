package searchstore

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sketch"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

const (
	defaultTop = 10
	// bins bounds the buckets of durations: more than there can be.
	bins = 2300
	// leadersOfShard are looked at in each index, so that the leaders of all are
	// the right ones.
	leadersOfShard = 2000
)

// dimensions are the fields of dimensions, and where their names stand.
var dimensions = map[string]struct{ field, name string }{
	"api": {"api", "api_name"}, "operation": {"operation_key", "template"}, "application": {"application", "application_name"},
	"plan": {"plan", ""}, "status": {"status", ""}, "gateway": {"gateway", ""}, "errorCode": {"error_code", ""},
}

// sums are the aggregations of one sum.
func sums() object {
	requests := object{"requests": object{"sum": object{"field": "requests"}}}
	out := object{
		"requests":       requests["requests"],
		"refused":        object{"filter": term("refused", true), "aggs": requests},
		"request_bytes":  object{"sum": object{"field": "request_bytes"}},
		"response_bytes": object{"sum": object{"field": "response_bytes"}},
		"max":            object{"max": object{"field": "duration_us"}},
		"duration":       percentiles("duration_us", 50, 95, 99),
		"gateway":        percentiles("gateway_us", 95),
	}
	for class := 2; class <= 5; class++ {
		out[fmt.Sprintf("status%dxx", class)] = object{"filter": between("status", int64(class*100), int64(class*100+100)), "aggs": requests}
	}
	return out
}

// percentiles are within 1 %, as two digits are.
func percentiles(field string, percents ...int) object {
	return object{"percentiles": object{"field": field, "percents": percents, "keyed": false, "hdr": object{"number_of_significant_value_digits": 2}}}
}

// value is a number that is null where there is nothing.
type value struct{ Value *float64 }

func (v value) int() int64 {
	if v.Value == nil || math.IsNaN(*v.Value) {
		return 0
	}
	return int64(math.Round(*v.Value))
}

type filtered struct{ Requests value }

type quantiles struct {
	Values []struct{ Key, Value *float64 }
}

func (q quantiles) at(percent float64) int64 {
	for _, v := range q.Values {
		if v.Key != nil && *v.Key == percent {
			return value{v.Value}.int()
		}
	}
	return 0
}

// summed is the answer to [sums].
type summed struct {
	Requests      value
	Refused       filtered
	RequestBytes  value `json:"request_bytes"`
	ResponseBytes value `json:"response_bytes"`
	Max           value
	Duration      quantiles
	Gateway       quantiles
	Status2xx     filtered
	Status3xx     filtered
	Status4xx     filtered
	Status5xx     filtered
}

func (s *summed) sums() analysis.Sums {
	return analysis.Sums{
		Requests: s.Requests.int(), Refused: s.Refused.Requests.int(), RequestBytes: s.RequestBytes.int(), ResponseBytes: s.ResponseBytes.int(),
		Status2xx: s.Status2xx.Requests.int(), Status3xx: s.Status3xx.Requests.int(), Status4xx: s.Status4xx.Requests.int(), Status5xx: s.Status5xx.Requests.int(),
		P50: s.Duration.at(50), P95: s.Duration.at(95), P99: s.Duration.at(99), Max: s.Max.int(), GatewayP95: s.Gateway.at(95),
	}
}

// with adds aggregations to those of a sum.
func with(more object) object {
	out := sums()
	for name, a := range more {
		out[name] = a
	}
	return out
}

// histogram counts requests by buckets of durations, with their weights: so the
// percentiles of the whole are right for samples too.
func histogram(field string) object {
	return object{"terms": object{"field": field, "size": bins}, "aggs": object{"requests": object{"sum": object{"field": "requests"}}}}
}

type counted struct {
	Buckets []struct {
		Key      int
		Requests value
	}
}

func (c counted) quantile(q float64) int64 {
	var s sketch.Sketch
	for _, b := range c.Buckets {
		s.AddBin(b.Key, uint64(b.Requests.int()))
	}
	return s.Quantile(q)
}

// Usage makes sums of documents.
func (s *Store) Usage(ctx context.Context, u store.Usage) (analysis.UsageReport, error) {
	from, to := u.Filter.From.UTC().Truncate(time.Minute), u.Filter.To.UTC().Add(time.Minute-1).Truncate(time.Minute)
	aggs := with(object{"newest": object{"max": object{"field": "time_us"}}, "durations": histogram("duration_bin"), "gateways": histogram("gateway_bin")})
	first, steps := store.Steps(u.Filter.From, u.Filter.To, u.Interval)
	if steps > 0 {
		offset := first.UnixMicro() % u.Interval.Microseconds()
		aggs["series"] = object{
			"histogram": object{"field": "time_us", "interval": u.Interval.Microseconds(), "offset": offset, "min_doc_count": 1}, "aggs": sums(),
		}
	}
	limit := u.Limit
	if limit <= 0 {
		limit = defaultTop
	}
	for _, d := range u.Top {
		aggs["top_"+d] = leaders(d, limit)
	}
	found, err := s.search(ctx, "adding up records", object{
		"query": object{"bool": object{"filter": append(filters(u.Filter, u.Allowed), between("time_us", from.UnixMicro(), to.UnixMicro()))}},
		"size":  0, "track_total_hits": false, "aggs": aggs,
	})
	if err != nil {
		return analysis.UsageReport{}, err
	}
	r, err := report(u, first, steps, found.Aggregations)
	if err != nil {
		return r, fmt.Errorf("adding up records: %w", err)
	}
	return r, nil
}

func leaders(dimension string, limit int) object {
	d := dimensions[dimension]
	inner := sums()
	if d.name != "" {
		inner["newest"] = object{"top_hits": object{"size": 1, "sort": newestFirst[:1], "_source": []string{d.name, "method"}}}
	}
	return object{
		"terms": object{"field": d.field, "size": limit, "shard_size": leadersOfShard, "order": []object{{"requests": "desc"}, {"_key": "asc"}}},
		"aggs":  inner,
	}
}

// report reads the aggregations. There are none where there are no indices.
func report(u store.Usage, first time.Time, steps int, raw json.RawMessage) (analysis.UsageReport, error) {
	var total struct {
		summed
		Newest              value
		Durations, Gateways counted
		Series              struct {
			Buckets []struct {
				Key float64
				summed
			}
		}
	}
	all := map[string]json.RawMessage{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &total); err != nil {
			return analysis.UsageReport{}, err
		}
		if err := json.Unmarshal(raw, &all); err != nil {
			return analysis.UsageReport{}, err
		}
	}
	r := analysis.UsageReport{Total: total.sums()}
	r.Total.P50, r.Total.P95, r.Total.P99 = total.Durations.quantile(0.5), total.Durations.quantile(0.95), total.Durations.quantile(0.99)
	r.Total.GatewayP95 = total.Gateways.quantile(0.95)
	if us := total.Newest.int(); us > 0 {
		r.Newest = time.UnixMicro(us).UTC()
	}
	for i := range steps {
		r.Series = append(r.Series, analysis.Point{Time: first.Add(time.Duration(i) * u.Interval).UTC()})
	}
	for i := range total.Series.Buckets {
		b := &total.Series.Buckets[i]
		at := int((int64(b.Key) - first.UnixMicro()) / u.Interval.Microseconds())
		if at = max(0, min(at, steps-1)); steps > 0 {
			r.Series[at].Sums = b.sums()
		}
	}
	for _, d := range u.Top {
		list, err := topOf(d, all["top_"+d])
		if err != nil {
			return r, err
		}
		if r.Top == nil {
			r.Top = map[string][]analysis.Top{}
		}
		r.Top[d] = list
	}
	return r, nil
}

func topOf(dimension string, raw json.RawMessage) ([]analysis.Top, error) {
	var got struct {
		Buckets []struct {
			Key json.RawMessage
			summed
			Newest struct {
				Hits struct {
					Hits []struct {
						Source document `json:"_source"`
					}
				}
			}
		}
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &got); err != nil {
			return nil, err
		}
	}
	list := make([]analysis.Top, 0, len(got.Buckets))
	for i := range got.Buckets {
		b := &got.Buckets[i]
		t := analysis.Top{Key: strings.Trim(string(b.Key), `"`), Sums: b.sums()}
		if len(b.Key) > 0 && b.Key[0] == '"' {
			if err := json.Unmarshal(b.Key, &t.Key); err != nil {
				return nil, err
			}
		}
		var newest document
		if h := b.Newest.Hits.Hits; len(h) > 0 {
			newest = h[0].Source
		}
		switch dimension {
		case "api":
			t.Name = newest.APIName
		case "application":
			t.Name = newest.ApplicationName
		case "operation":
			t.API, t.Key, _ = strings.Cut(t.Key, keySeparator)
			if newest.Template != "" {
				t.Name = newest.Method + " " + newest.Template
			}
		}
		list = append(list, t)
	}
	return list, nil
}
