package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
)

// Exporter hands out what an organization has here: without private keys, what
// gateways join with, and the policies in revisions, which are policy-manager's to
// show.
func (s *Store) Exporter() *tenancy.Exporter {
	return &tenancy.Exporter{
		DB: s.db, Skip: []string{"manifest_keys", "join_tokens", "routes", "deployment_groups"},
		Kinds: map[string]string{"api_operations": "operations"},
		Show: map[string]func(context.Context, string, map[string]any) (any, error){
			"apis.upstreams":          s.exportUpstreams,
			"revisions.content":       s.exportContent,
			"documents.body":          s.exportDocument,
			"documents.hash":          verbatim("hash"), // of a document, which it names
			"apis.document_hash":      verbatim("document_hash"),
			"revisions.document_hash": verbatim("document_hash"),
		},
	}
}

func verbatim(column string) func(context.Context, string, map[string]any) (any, error) {
	return func(_ context.Context, _ string, row map[string]any) (any, error) { return row[column], nil }
}

func (s *Store) exportUpstreams(ctx context.Context, organization string, row map[string]any) (any, error) {
	a, err := s.For(organization).API(ctx, fmt.Sprint(row["id"]))
	if err != nil {
		return nil, err
	}
	list, err := a.UpstreamList()
	return revision.MaskKeys(list), err
}

func (s *Store) exportContent(ctx context.Context, organization string, row map[string]any) (any, error) {
	o := s.For(organization)
	r, err := o.Revision(ctx, fmt.Sprint(row["api_id"]), number(row["number"]))
	if err != nil {
		return nil, err
	}
	c, err := o.Content(&r)
	if err != nil {
		return nil, err
	}
	d := c.Draft
	d.Upstreams = revision.MaskKeys(d.Upstreams)
	return d, nil
}

func number(v any) int64 {
	n, _ := v.(int64) // as all dialects return a bigint
	return n
}

func (s *Store) exportDocument(_ context.Context, _ string, row map[string]any) (any, error) {
	var packed []byte
	switch b := row["body"].(type) {
	case []byte:
		packed = b
	case string:
		packed = []byte(b)
	}
	raw, err := s.unpack(packed)
	if err != nil || !json.Valid(raw) {
		return nil, err
	}
	return json.RawMessage(raw), nil
}
