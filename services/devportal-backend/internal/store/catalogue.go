package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/reference"
)

// API is a published API as consumers see it.
type API struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	Slug           string
	Name           string
	APIVersion     string `gorm:"column:api_version"`
	ProjectID      string
	Deprecated     bool
	Revision       int64
	// DocumentHash and DigestForm say of what, and how, the pages were made.
	DocumentHash   string
	Document       []byte // OpenAPI as JSON, compressed; see [API.OpenAPI]
	DigestForm     int64
	OperationCount int64
	Overview       JSON[reference.Overview]
	Plans          JSON[[]Plan]
	Endpoints      JSON[[]gateway.Endpoint]
	SearchText     string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (API) TableName() string { return "catalogue_apis" }

// Plan is a plan as consumers see it.
type Plan struct {
	ID          string   `json:"id"`
	Slug        string   `json:"slug"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Security    string   `json:"security"`
	Approval    string   `json:"approval"`
	Status      string   `json:"status"`
	Limits      []string `json:"limits,omitempty"`
	KeyHeader   string   `json:"keyHeader,omitempty"`
	// Credential is the kind of credential that the plan takes, "" = none.
	Credential string `json:"credential,omitempty"`
	// Own says that the plan takes tokens of the organization's own authorization
	// server.
	Own bool `json:"own,omitempty"`
}

// PlanOf returns what consumers may know of a plan. issuer is that of the
// organization's authorization server, "" where there is none.
func PlanOf(p policy.Plan, issuer string) Plan {
	return Plan{
		ID: p.ID, Slug: p.Slug, Name: p.Name, Description: p.Description, Security: p.Security, Approval: p.Approval,
		Status: p.Status, Limits: p.Limits, KeyHeader: p.KeyHeader, Credential: p.Credential, Own: Own(p, issuer),
	}
}

// Own reports whether a plan takes tokens of an issuer: those that it signed, or that
// it is asked about.
func Own(p policy.Plan, issuer string) bool {
	if issuer == "" || p.Credential != string(credential.OAuth2) || p.Tokens == nil {
		return false
	}
	if p.Tokens.Server == "" {
		return true
	}
	_, path, ok := strings.Cut(issuer, "/oauth/")
	return ok && strings.HasSuffix(p.Tokens.Server, "/oauth/"+path+"/introspect") // it may be reached under another name
}

// Operation is one page of the reference.
type Operation struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	APIID          string `gorm:"column:api_id"`
	OperationID    string
	Position       int64
	Method         string
	Path           string
	Summary        string
	Deprecated     bool
	SearchText     string
	Page           []byte // an OperationPage of openapi.yaml
}

// TableName is for gorm.
func (Operation) TableName() string { return "catalogue_operations" }

// Pack compresses a document for [API.Document].
func Pack(document []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(document); err != nil {
		return nil, fmt.Errorf("packing a document: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing a document: %w", err)
	}
	return b.Bytes(), nil
}

// OpenAPI returns the document; nil where there is none.
func (a API) OpenAPI() ([]byte, error) {
	if len(a.Document) == 0 {
		return nil, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(a.Document))
	if err != nil {
		return nil, fmt.Errorf("unpacking a document: %w", err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpacking a document: %w", err)
	}
	return b, nil
}

// Searchable returns the text by which an API is found.
func (a API) Searchable(digest string) string {
	return strings.ToLower(strings.Join([]string{a.Name, a.Slug, a.APIVersion, digest}, " "))
}

// PutAPI writes an API. operations are written too where they are not nil;
// then they replace what was there.
func PutAPI(ctx context.Context, s *db.Scope, a *API, operations []Operation, now time.Time) error {
	old, err := db.From[API](s).Where("id = ?", a.ID).All(ctx)
	if err != nil {
		return fmt.Errorf("saving a catalogue entry: %w", err)
	}
	a.CreatedAt, a.UpdatedAt = now, now
	// A slug may have gone from one API to another.
	var others []string
	if err := db.From[API](s).Where("slug = ? AND id <> ?", a.Slug, a.ID).Aggregate(ctx, &others, "id", ""); err != nil {
		return fmt.Errorf("saving a catalogue entry: %w", err)
	}
	for _, id := range others {
		if _, err := RemoveAPI(ctx, s, id); err != nil {
			return err
		}
	}
	if len(old) > 0 {
		a.CreatedAt = old[0].CreatedAt
		if _, err := db.From[API](s).Where("id = ?", a.ID).Delete(ctx); err != nil {
			return fmt.Errorf("saving a catalogue entry: %w", err)
		}
	}
	if err := db.Create(ctx, s, a); err != nil {
		return fmt.Errorf("saving a catalogue entry: %w", err)
	}
	if operations == nil {
		return nil
	}
	if _, err := db.From[Operation](s).Where("api_id = ?", a.ID).Delete(ctx); err != nil {
		return fmt.Errorf("saving a catalogue entry: %w", err)
	}
	for batch := range slices.Chunk(operations, 50) {
		rows := make([]*Operation, len(batch))
		for i := range batch {
			rows[i] = &batch[i]
		}
		if err := db.Create(ctx, s, rows...); err != nil {
			return fmt.Errorf("saving a catalogue entry: %w", err)
		}
	}
	return nil
}

// RemoveAPI takes an API out of the catalogue. found says that it was there.
func RemoveAPI(ctx context.Context, s *db.Scope, id string) (found bool, err error) {
	if _, err := db.From[Operation](s).Where("api_id = ?", id).Delete(ctx); err != nil {
		return false, fmt.Errorf("removing a catalogue entry: %w", err)
	}
	n, err := db.From[API](s).Where("id = ?", id).Delete(ctx)
	return n > 0, err
}

// APIIDs returns the ids of all published APIs.
func APIIDs(ctx context.Context, s *db.Scope) ([]string, error) {
	var ids []string
	return ids, db.From[API](s).Aggregate(ctx, &ids, "id", "")
}

// FindAPI returns a published API by id or slug, or [db.ErrNotFound].
func FindAPI(ctx context.Context, s *db.Scope, idOrSlug string) (API, error) {
	return db.From[API](s).Where("id = ? OR slug = ?", idOrSlug, idOrSlug).First(ctx)
}

// FindOperation returns a page of the reference, or [db.ErrNotFound].
func FindOperation(ctx context.Context, s *db.Scope, api, operation string) (Operation, error) {
	return db.From[Operation](s).Where("api_id = ? AND operation_id = ?", api, operation).First(ctx)
}

// Matches are the operations of an API that a search found.
type Matches struct {
	Count int
	// First are a few of them.
	First []Operation
}

const (
	firstMatches = 5
	maxMatched   = 1000 // APIs whose operations are looked at
)

// SearchCatalogue returns a page of the catalogue, and which operations the words
// were found in.
func SearchCatalogue(ctx context.Context, s *db.Scope, q string, page db.PageRequest) (db.Page[API], map[string]Matches, error) {
	query := db.From[API](s)
	patterns := words(q)
	counts := map[string]int{}
	if len(patterns) > 0 {
		operations := db.From[Operation](s)
		own, args := make([]string, len(patterns)), make([]any, len(patterns))
		for i, p := range patterns {
			operations = operations.Where("search_text LIKE ? ESCAPE '!'", p)
			own[i], args[i] = "search_text LIKE ? ESCAPE '!'", p
		}
		var found []struct {
			APIID string `gorm:"column:api_id"`
			N     int
		}
		if err := operations.Limit(maxMatched).Aggregate(ctx, &found, "api_id, count(*) AS n", "api_id"); err != nil {
			return db.Page[API]{}, nil, fmt.Errorf("searching the catalogue: %w", err)
		}
		condition := strings.Join(own, " AND ")
		if len(found) > 0 {
			ids := make([]string, len(found))
			for i, f := range found {
				ids[i], counts[f.APIID] = f.APIID, f.N
			}
			slices.Sort(ids) // so that a cursor finds the same query
			condition, args = "("+condition+") OR id IN ?", append(args, ids)
		}
		query = query.Where(condition, args...)
	}
	list, err := query.Page(ctx, page, "name", "created_at", "updated_at")
	if err != nil {
		return list, nil, err
	}
	matches := map[string]Matches{}
	for _, a := range list.Items {
		if counts[a.ID] == 0 {
			continue
		}
		found := db.From[Operation](s).Where("api_id = ?", a.ID)
		for _, p := range patterns {
			found = found.Where("search_text LIKE ? ESCAPE '!'", p)
		}
		first, err := found.Order("position", false).Limit(firstMatches).All(ctx)
		if err != nil {
			return list, nil, fmt.Errorf("searching the catalogue: %w", err)
		}
		matches[a.ID] = Matches{Count: counts[a.ID], First: first}
	}
	return list, matches, nil
}

func fields(q string) []string { return strings.Fields(strings.ToLower(q)) }

// escape makes a text stand for itself in LIKE with ESCAPE '!'.
func escape(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
