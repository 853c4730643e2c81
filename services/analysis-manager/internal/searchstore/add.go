package searchstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sketch"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// bulkBytes bounds what is sent at once.
const bulkBytes = 8 << 20

// document is a record as it is indexed.
type document struct {
	Timestamp       string          `json:"@timestamp"`
	TimeUs          int64           `json:"time_us"`
	Organization    string          `json:"organization"`
	ID              string          `json:"id"`
	Project         string          `json:"project,omitempty"`
	Environment     string          `json:"environment,omitempty"`
	API             string          `json:"api,omitempty"`
	APIName         string          `json:"api_name,omitempty"`
	Operation       string          `json:"operation,omitempty"`
	OperationKey    string          `json:"operation_key,omitempty"`
	Template        string          `json:"template,omitempty"`
	Plan            string          `json:"plan,omitempty"`
	Application     string          `json:"application,omitempty"`
	ApplicationName string          `json:"application_name,omitempty"`
	Gateway         string          `json:"gateway,omitempty"`
	Method          string          `json:"method,omitempty"`
	Host            string          `json:"host,omitempty"`
	Path            string          `json:"path,omitempty"`
	Status          int             `json:"status"`
	ErrorSource     string          `json:"error_source,omitempty"`
	ErrorCode       string          `json:"error_code,omitempty"`
	DurationUs      int64           `json:"duration_us"`
	GatewayUs       int64           `json:"gateway_us"`
	DurationBin     int             `json:"duration_bin"`
	GatewayBin      int             `json:"gateway_bin"`
	Requests        int64           `json:"requests"`
	Refused         bool            `json:"refused"`
	RequestBytes    int64           `json:"request_bytes"`
	ResponseBytes   int64           `json:"response_bytes"`
	Record          json.RawMessage `json:"record"`
}

// keySeparator stands between the API and the operation.
const keySeparator = "\x1f"

func newDocument(r *store.Row) document {
	d := document{
		Timestamp: r.Time.UTC().Format(time.RFC3339Nano), TimeUs: r.Time.UnixMicro(), Organization: r.Organization, ID: r.ID,
		Project: r.Project, Environment: r.Environment, API: r.API, APIName: r.APIName, Operation: r.Operation, Template: r.Template,
		Plan: r.Plan, Application: r.Application, ApplicationName: r.ApplicationName, Gateway: r.Gateway,
		Method: r.Method, Host: r.Host, Path: r.Path, Status: r.Status, ErrorSource: r.ErrorSource, ErrorCode: r.ErrorCode,
		DurationUs: r.Duration, GatewayUs: r.GatewayTime, DurationBin: sketch.Bin(r.Duration), GatewayBin: sketch.Bin(r.GatewayTime),
		Requests: r.Weight, Refused: r.Refused, RequestBytes: r.Weight * r.RequestBytes, ResponseBytes: r.Weight * r.ResponseBytes,
		Record: r.JSON,
	}
	if r.Operation != "" {
		d.OperationKey = r.API + keySeparator + r.Operation
	}
	return d
}

func (d *document) summary() store.Summary {
	return store.Summary{
		ID: d.ID, Time: time.UnixMicro(d.TimeUs).UTC(), Method: d.Method, Host: d.Host, Path: d.Path, Status: d.Status,
		Attributes: store.Attributes{
			Project: d.Project, Environment: d.Environment, API: d.API, APIName: d.APIName, Operation: d.Operation, Template: d.Template,
			Plan: d.Plan, Application: d.Application, ApplicationName: d.ApplicationName, Gateway: d.Gateway,
		},
		ErrorSource: d.ErrorSource, ErrorCode: d.ErrorCode, Duration: d.DurationUs, GatewayTime: d.GatewayUs,
	}
}

func documentID(organization, id string) string { return organization + "/" + id }

// Add indexes records. What there is already stays as it is. It returns when
// what it has written is found by searches.
func (s *Store) Add(ctx context.Context, batches []store.Batch) (map[string]int, error) {
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	added := map[string]int{}
	var body bytes.Buffer
	out := json.NewEncoder(&body)
	out.SetEscapeHTML(false)
	var owners []string
	flush := func() error {
		if len(owners) == 0 {
			return nil
		}
		err := s.bulk(ctx, &body, owners, added)
		body.Reset()
		owners = owners[:0]
		return err
	}
	for _, b := range batches {
		for i := range b.Rows {
			r := &b.Rows[i]
			action := object{"create": object{"_index": s.index(r.Time), "_id": documentID(r.Organization, r.ID)}}
			if err := out.Encode(action); err != nil {
				return nil, fmt.Errorf("storing records: %w", err)
			}
			if err := out.Encode(newDocument(r)); err != nil {
				return nil, fmt.Errorf("storing records: record %s: %w", r.ID, err)
			}
			owners = append(owners, r.Organization)
			if body.Len() >= bulkBytes {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	return added, flush()
}

func (s *Store) bulk(ctx context.Context, body *bytes.Buffer, owners []string, added map[string]int) error {
	var res struct {
		Items []struct {
			Create struct {
				Status int
				Error  struct{ Type, Reason string }
			} `json:"create"`
		} `json:"items"`
	}
	err := s.call(ctx, "storing records", esapi.BulkRequest{Body: bytes.NewReader(body.Bytes()), Refresh: "wait_for", FilterPath: []string{"items.*.status", "items.*.error"}}, &res)
	if err != nil {
		return err
	}
	if len(res.Items) != len(owners) {
		return fmt.Errorf("storing records: %d answers to %d records", len(res.Items), len(owners))
	}
	for i := range res.Items {
		switch item := res.Items[i].Create; {
		case item.Status < 300:
			added[owners[i]]++
		case item.Status == http.StatusConflict: // it is there already
		default:
			err := error(&refusal{item.Status, item.Error.Type + ": " + item.Error.Reason})
			if item.Status >= 500 || item.Status == http.StatusTooManyRequests {
				s.away.Store(&err)
			}
			return fmt.Errorf("storing records: %w", err)
		}
	}
	return nil
}

// Forget deletes the records of an organization from all days.
func (s *Store) Forget(ctx context.Context, organization string) error {
	if organization == "" {
		return errors.New("forgetting traffic: no organization is named")
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	body, err := json.Marshal(object{"query": term("organization", organization)})
	if err != nil {
		return fmt.Errorf("forgetting traffic: %w", err)
	}
	all := true
	for {
		var done struct {
			Deleted  int64             `json:"deleted"`
			TimedOut bool              `json:"timed_out"`
			Failures []json.RawMessage `json:"failures"`
		}
		most := forgetAtOnce
		err := s.call(ctx, "forgetting traffic", esapi.DeleteByQueryRequest{
			Index: []string{s.pattern()}, Body: bytes.NewReader(body), Conflicts: "proceed", Refresh: &all, AllowNoIndices: &all, MaxDocs: &most,
		}, &done)
		switch {
		case err != nil:
			return err
		case len(done.Failures) > 0:
			return fmt.Errorf("forgetting traffic: %d records could not be deleted: %s", len(done.Failures), done.Failures[0])
		case done.Deleted < int64(most) && !done.TimedOut:
			return nil
		}
	}
}

// forgetAtOnce bounds the records that are deleted in one call, so that it ends in
// time.
const forgetAtOnce = 20_000

// Sweep drops the indices of days that are older than the retention of records.
// Sums are made of records, and go with them.
func (s *Store) Sweep(ctx context.Context, keep store.Retention) error {
	var have []struct{ Index string }
	err := s.call(ctx, "listing indices", esapi.CatIndicesRequest{Index: []string{s.pattern()}, Format: "json", H: []string{"index"}}, &have)
	if err != nil {
		return err
	}
	oldest := keep.Now.Add(-keep.Records)
	for _, x := range have {
		day, err := time.Parse(dayForm, strings.TrimPrefix(x.Index, s.opt.Prefix+"-records-"))
		if err != nil || day.Add(24*time.Hour).After(oldest) { // not ours, or still needed
			continue
		}
		if err := s.call(ctx, "forgetting a day", esapi.IndicesDeleteRequest{Index: []string{x.Index}}, nil); err != nil {
			return err
		}
	}
	return nil
}
