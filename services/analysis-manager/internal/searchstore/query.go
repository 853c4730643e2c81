package searchstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// hits are what a search found.
type hits struct {
	Hits struct {
		Hits []struct {
			Source document `json:"_source"`
		}
	}
	Aggregations json.RawMessage
	TimedOut     bool `json:"timed_out"`
}

// How long a search waits for shards that are not there, and how often it looks.
const (
	shardsLimit = 5 * time.Second
	shardsPause = 50 * time.Millisecond
)

// search runs a query, for as long as it may take.
func (s *Store) search(ctx context.Context, what string, query object) (hits, error) {
	var out hits
	body, err := json.Marshal(query)
	if err != nil {
		return out, fmt.Errorf("%s: %w", what, err)
	}
	yes, whole := true, false
	limited, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	// The shards of an index that was just made, at the first record and at midnight,
	// are there a moment later than the index; so are those of a node that left. A
	// part of the answer is none.
	for began := time.Now(); ; {
		err = s.call(limited, what, esapi.SearchRequest{
			Index: []string{s.pattern()}, Body: strings.NewReader(string(body)), IgnoreUnavailable: &yes, AllowNoIndices: &yes,
			AllowPartialSearchResults: &whole,
		}, &out)
		var no *refusal
		if !errors.As(err, &no) || no.status != http.StatusServiceUnavailable {
			break
		}
		if time.Since(began) > shardsLimit {
			return out, problem.New(problem.CodeDependencyDown, "the search cluster cannot answer now").Because(err).WithRetryAfter(time.Second)
		}
		select {
		case <-time.After(shardsPause):
		case <-limited.Done():
		}
	}
	if out.TimedOut || err != nil && limited.Err() != nil && ctx.Err() == nil {
		return out, fmt.Errorf("%s: %w", what, errors.Join(store.ErrTooWide, err))
	}
	return out, err
}

// filters are what every search needs: the organization first.
func filters(f analysis.Filter, allowed []store.Scope) []object {
	out := []object{term("organization", f.Organization)}
	out = terms(out, "project", f.Projects)
	out = terms(out, "environment", f.Environments)
	out = terms(out, "api", f.APIs)
	out = terms(out, "operation", f.Operations)
	out = terms(out, "application", f.Applications)
	out = terms(out, "plan", f.Plans)
	return in(out, allowed)
}

func term(field string, v any) object { return object{"term": object{field: v}} }

func terms[T any](list []object, field string, values []T) []object {
	if len(values) == 0 {
		return list
	}
	return append(list, object{"terms": object{field: values}})
}

// in narrows a search to what may be seen.
func in(list []object, allowed []store.Scope) []object {
	if allowed == nil || slices.Contains(allowed, store.Scope{}) {
		return list
	}
	if len(allowed) == 0 {
		return append(list, object{"match_none": object{}})
	}
	var any []object
	for _, a := range allowed {
		var all []object
		for _, f := range [][2]string{{"project", a.Project}, {"api", a.API}, {"environment", a.Environment}} {
			if f[1] != "" {
				all = append(all, term(f[0], f[1]))
			}
		}
		any = append(any, object{"bool": object{"filter": all}})
	}
	return append(list, anyOf(any))
}

func anyOf(list []object) object {
	return object{"bool": object{"should": list, "minimum_should_match": 1}}
}

func between(field string, from, to int64) object {
	r := object{}
	if from != 0 {
		r["gte"] = from
	}
	if to != 0 {
		r["lt"] = to
	}
	return object{"range": object{field: r}}
}

var newestFirst = []object{{"time_us": object{"order": "desc", "unmapped_type": "long"}}, {"id": object{"order": "desc", "unmapped_type": "keyword"}}}

// List returns records, newest first.
func (s *Store) List(ctx context.Context, w store.Search) ([]store.Summary, error) {
	f := filters(w.Filter, w.Allowed)
	f = terms(f, "gateway", w.Gateways)
	f = terms(f, "status", w.Statuses)
	f = terms(f, "method", w.Methods)
	f = terms(f, "error_code", w.ErrorCodes)
	if len(w.Classes) > 0 {
		var any []object
		for _, c := range w.Classes {
			any = append(any, between("status", int64(c*100), int64(c*100+100)))
		}
		f = append(f, anyOf(any))
	}
	if !w.From.IsZero() {
		f = append(f, between("time_us", w.From.UnixMicro(), 0))
	}
	if !w.To.IsZero() {
		f = append(f, between("time_us", 0, w.To.UnixMicro()))
	}
	if w.PathPrefix != "" {
		f = append(f, object{"prefix": object{"path": w.PathPrefix}})
	}
	if w.RequestID != "" {
		f = append(f, term("id", w.RequestID))
	}
	if w.MinDuration > 0 {
		f = append(f, between("duration_us", w.MinDuration, 0))
	}
	if w.Text != "" {
		like := "*" + strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`).Replace(w.Text) + "*"
		var any []object
		for _, name := range []string{"path", "id", "error_code", "api_name", "application_name"} {
			any = append(any, object{"wildcard": object{name: object{"value": like, "case_insensitive": true}}})
		}
		f = append(f, anyOf(any))
	}
	query := object{
		"query": object{"bool": object{"filter": f}}, "sort": newestFirst, "size": w.Limit,
		"track_total_hits": false, "_source": object{"excludes": []string{"record"}},
	}
	if w.After != nil {
		query["search_after"] = []any{w.After.Time.UnixMicro(), w.After.ID}
	}
	found, err := s.search(ctx, "looking for records", query)
	if err != nil {
		return nil, err
	}
	out := make([]store.Summary, len(found.Hits.Hits))
	for i := range out {
		out[i] = found.Hits.Hits[i].Source.summary()
	}
	return out, nil
}

// Record returns one record as the gateway wrote it.
func (s *Store) Record(ctx context.Context, w store.Where) (json.RawMessage, error) {
	f := filters(analysis.Filter{Organization: w.Organization, Applications: w.Applications}, w.Allowed)
	f = append(f, object{"ids": object{"values": []string{documentID(w.Organization, w.ID)}}})
	found, err := s.search(ctx, "reading record", object{"query": object{"bool": object{"filter": f}}, "size": 1, "_source": []string{"record"}})
	if err != nil {
		return nil, err
	}
	if len(found.Hits.Hits) == 0 {
		return nil, store.ErrNotFound
	}
	return found.Hits.Hits[0].Source.Record, nil
}
