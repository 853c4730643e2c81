package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/internal/example"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// shelf is the service of the tests.
type shelf struct {
	seen context.Context //nolint:containedctx // looked at by tests
	page db.PageRequest
	body []byte
}

func (s *shelf) ListBooks(ctx context.Context, r example.ListBooksRequestObject) (example.ListBooksResponseObject, error) {
	s.seen, s.page = ctx, httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort)
	return example.ListBooks200JSONResponse{Items: []example.Book{}}, nil
}

func (s *shelf) CreateBook(ctx context.Context, r example.CreateBookRequestObject) (example.CreateBookResponseObject, error) {
	s.seen = ctx
	return example.CreateBook201JSONResponse{
		Body:    example.Book{Id: "b1", Version: 1, Title: r.Body.Title, Pages: r.Body.Pages},
		Headers: example.CreateBook201ResponseHeaders{ETag: ptr(db.ETag(1))},
	}, nil
}

func (s *shelf) GetBook(ctx context.Context, r example.GetBookRequestObject) (example.GetBookResponseObject, error) {
	s.seen = ctx
	switch r.Id {
	case "gone":
		return nil, fmt.Errorf("getting: %w", db.ErrNotFound)
	case "twice":
		return nil, db.ErrDuplicate
	case "used":
		return nil, db.ErrReference
	case "broken":
		return nil, errors.New("the secret is hunter2")
	case "panic":
		panic("hunter2")
	case "taken":
		return nil, problem.New(problem.CodeConflict, "it is lent").WithRetryAfter(time.Second)
	case "slow":
		return nil, context.DeadlineExceeded
	case "unread":
		return nil, fmt.Errorf("reading: %w", db.ErrAway)
	case "unasked":
		return nil, fmt.Errorf("reading a unit: %w", nats.ErrNoResponders)
	}
	reader := ""
	if p, ok := authn.From(ctx); ok {
		reader = p.Subject
	}
	return example.GetBook200JSONResponse{Body: example.Book{Id: r.Id, Title: "T", Reader: &reader}, Headers: example.GetBook200ResponseHeaders{ETag: ptr(db.ETag(7))}}, nil
}

// bookFields are what a patch may change.
type bookFields struct {
	Title string `json:"title"`
	Pages *int   `json:"pages,omitempty"`
}

func (s *shelf) UpdateBook(ctx context.Context, r example.UpdateBookRequestObject) (example.UpdateBookResponseObject, error) {
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	f, err := httpx.Merge(ctx, bookFields{Title: "Before", Pages: ptr(5)})
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "book:update", authn.Scope{Project: "p1"}); err != nil {
		return nil, err
	}
	return example.UpdateBook200JSONResponse{Id: r.Id, Version: version, Title: f.Title, Pages: f.Pages}, nil
}

func (s *shelf) PutCover(_ context.Context, r example.PutCoverRequestObject) (example.PutCoverResponseObject, error) {
	var err error
	s.body, err = io.ReadAll(r.Body)
	return example.PutCover204Response{}, err
}

func (s *shelf) GetOpeningHours(ctx context.Context, _ example.GetOpeningHoursRequestObject) (example.GetOpeningHoursResponseObject, error) {
	s.seen = ctx
	return example.GetOpeningHours200TextResponse("always"), nil
}

func ptr[T any](v T) *T { return &v }
