// Package searchstore keeps traffic in Elasticsearch 8 or OpenSearch 2: a
// document for each request, in an index for each day. Sums are made of the
// documents when they are asked for.
//
// The id of a document is that of its record, and the day is the record's own:
// what comes again meets itself, and counts once, whatever was broken off
// before.
package searchstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// Options say which cluster, and how indices are made.
type Options struct {
	// URLs are addresses of nodes, such as https://search:9200.
	URLs []string
	// Username and Password, or APIKey, identify the service; none where the
	// cluster asks for none.
	Username, Password, APIKey string
	// CA holds the certificates, in PEM, that the cluster's is checked against;
	// none means the system's.
	CA []byte
	// Prefix begins the names of indices and of the template; "" means
	// "gatehouse".
	Prefix string
	// Shards and Replicas are those of each index; 0 shards means 1.
	Shards, Replicas int
	// Refresh is how long it takes until what was written is found; 0 means a
	// second.
	Refresh time.Duration
}

// Store is a [store.Store] over a search cluster.
type Store struct {
	opt    Options
	client *elasticsearch.Client
	http   *http.Transport
	away   atomic.Pointer[error] // why the cluster does not work

	mu    sync.Mutex
	ready bool // the cluster is one we know, and has the template
}

var _ store.Store = (*Store)(nil)

const (
	callLimit  = 30 * time.Second
	lookLimit  = 10 * time.Second
	maxAnswer  = 64 << 20
	retries    = 2
	elasticTag = "X-Elastic-Product"
	// elasticMotto is in what Elasticsearch says of itself, in every version.
	elasticMotto = "You Know, for Search"
)

// New returns a store. It does not connect.
func New(o Options) (*Store, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New("making a search store: no address")
	}
	if o.Prefix == "" {
		o.Prefix = "gatehouse"
	}
	o.Shards = max(1, o.Shards)
	if o.Refresh <= 0 {
		o.Refresh = time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	if len(o.CA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(o.CA) {
			return nil, errors.New("making a search store: the CA has no certificates in PEM")
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	c, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: o.URLs, Username: o.Username, Password: o.Password, APIKey: o.APIKey,
		Transport: product{transport}, MaxRetries: retries, RetryOnStatus: []int{502, 503, 504}, DisableMetaHeader: true,
		CompressRequestBody: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making a search store: %w", err)
	}
	return &Store{opt: o, client: c, http: transport}, nil
}

// Close ends the connections that are not in use.
func (s *Store) Close() { s.http.CloseIdleConnections() }

// product lets the client talk to OpenSearch, which it refuses because the
// answers do not bear the name of Elasticsearch. What the cluster really is,
// prepare finds out by itself.
type product struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p product) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := p.next.RoundTrip(r)
	if err == nil && res.Header.Get(elasticTag) == "" {
		res.Header.Set(elasticTag, "Elasticsearch")
	}
	return res, err
}

// Health says how the last call went.
func (s *Store) Health() error {
	if e := s.away.Load(); e != nil {
		return *e
	}
	return nil
}

// refusal is an answer that is not a good one.
type refusal struct {
	status int
	reason string
}

// Error says what the cluster said.
func (r *refusal) Error() string {
	return "status " + strconv.Itoa(r.status) + ": " + r.reason
}

// call makes a request and reads its answer into out, where that is not nil.
func (s *Store) call(ctx context.Context, what string, r esapi.Request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	err := s.exchange(ctx, r, out)
	var no *refusal
	switch {
	case err == nil:
		s.away.Store(nil)
		return nil
	case errors.As(err, &no) && no.status >= 400 && no.status < 500 && no.status != 401 && no.status != 403 && no.status != 429:
	default: // it is not about what was asked
		s.away.Store(&err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s *Store) exchange(ctx context.Context, r esapi.Request, out any) error {
	res, err := r.Do(ctx, s.client)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // only read
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.IsError() {
		return &refusal{res.StatusCode, reason(body)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// reason returns what an error document says.
func reason(body []byte) string {
	var doc struct {
		Error struct {
			Type, Reason string
			RootCause    []struct{ Reason string } `json:"root_cause"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &doc) != nil || doc.Error.Reason == "" {
		return strings.ToValidUTF8(string(body[:min(len(body), 300)]), "?")
	}
	out := doc.Error.Type + ": " + doc.Error.Reason
	if len(doc.Error.RootCause) > 0 && doc.Error.RootCause[0].Reason != doc.Error.Reason {
		out += ": " + doc.Error.RootCause[0].Reason
	}
	return out
}

// pattern is that of all indices.
func (s *Store) pattern() string { return s.opt.Prefix + "-records-*" }

const dayForm = "2006.01.02"

func (s *Store) index(t time.Time) string {
	return s.opt.Prefix + "-records-" + t.UTC().Format(dayForm)
}

// prepare finds out what the cluster is, and makes the template, once.
func (s *Store) prepare(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return nil
	}
	var info struct {
		Version struct{ Number, Distribution string }
		Tagline string
	}
	if err := s.call(ctx, "asking what the search cluster is", esapi.InfoRequest{}, &info); err != nil {
		return err
	}
	// Forks of Elasticsearch name themselves; Elasticsearch itself does not, and is
	// known by its motto.
	name, least := info.Version.Distribution, 2
	switch {
	case name == "" && info.Tagline == elasticMotto:
		name, least = "Elasticsearch", 8
	case name == "":
		name, least = "another server that calls itself", math.MaxInt
	case name != "opensearch":
		least = math.MaxInt
	}
	major, _, _ := strings.Cut(info.Version.Number, ".")
	if n, err := strconv.Atoi(major); err != nil || n < least {
		err := fmt.Errorf("the search cluster is %s %q: use Elasticsearch 8 or later, or OpenSearch 2 or later", name, info.Version.Number)
		s.away.Store(&err)
		return err
	}
	body, err := json.Marshal(s.template())
	if err != nil {
		return fmt.Errorf("making the index template: %w", err)
	}
	err = s.call(ctx, "making the index template", esapi.IndicesPutIndexTemplateRequest{Name: s.opt.Prefix + "-records", Body: strings.NewReader(string(body))}, nil)
	s.ready = err == nil
	return err
}

type object = map[string]any

// template is that of the indices. Its mapping is strict: no record can add
// fields.
func (s *Store) template() object {
	keyword, long := object{"type": "keyword"}, object{"type": "long"}
	fields := object{
		"@timestamp": object{"type": "date"},
		"refused":    object{"type": "boolean"},
		// The record as it is, for explaining; nothing in it is indexed.
		"record": object{"type": "object", "enabled": false},
	}
	for _, name := range []string{
		"organization", "id", "project", "environment", "api", "api_name", "operation", "operation_key", "template", "plan", "application",
		"application_name", "gateway", "method", "host", "path", "error_source", "error_code",
	} {
		fields[name] = keyword
	}
	for _, name := range []string{"time_us", "duration_us", "gateway_us", "requests", "request_bytes", "response_bytes"} {
		fields[name] = long
	}
	for _, name := range []string{"status", "duration_bin", "gateway_bin"} {
		fields[name] = object{"type": "integer"}
	}
	return object{
		"index_patterns": []string{s.pattern()},
		"template": object{
			"settings": object{"index": object{
				"number_of_shards": s.opt.Shards, "number_of_replicas": s.opt.Replicas,
				"refresh_interval": strconv.FormatInt(s.opt.Refresh.Milliseconds(), 10) + "ms",
			}},
			"mappings": object{"dynamic": "strict", "properties": fields},
		},
	}
}
