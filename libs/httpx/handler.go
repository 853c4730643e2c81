package httpx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Page returns what the query parameters cursor, limit and sort ask for. A field
// of the API such as "-createdAt" is the column created_at, descending.
func Page[C, S ~string, L ~int](cursor *C, limit *L, sort *S) db.PageRequest {
	var p db.PageRequest
	if cursor != nil {
		p.Cursor = string(*cursor)
	}
	if limit != nil {
		p.Limit = int(*limit)
	}
	if sort != nil {
		field, descending := strings.CutPrefix(string(*sort), "-")
		p.Sort, p.Descending = column(field), descending
	}
	return p
}

// column is the name of a field as databases write it.
func column(field string) string {
	var b strings.Builder
	for _, r := range field {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Once runs fn in a transaction, and only once for an Idempotency-Key of the
// caller's organization: a request that comes again gets the answer of the first
// (see [db.DB.Once]). The answer is kept as JSON for a day, encrypted where the
// server has a keyring: T must come back from JSON as it was. Without a keyring
// it must hold no secret.
func Once[T any](ctx context.Context, d *db.DB, fn func(tx *db.Tx) (T, error)) (T, error) {
	var answer T
	in := incomingOf(ctx)
	p, ok := authn.From(ctx)
	if in == nil || !ok {
		return answer, errors.New("an idempotent request without a caller")
	}
	request := fmt.Appendf(nil, "%s %s\n%s\n", in.method, in.target, p.Subject)
	got, again, err := d.Once(ctx, p.Organization, in.key, append(request, in.body...), func(tx *db.Tx) (db.Response, error) {
		var err error
		if answer, err = fn(tx); err != nil || in.key == "" {
			return db.Response{}, err
		}
		body, err := json.Marshal(answer)
		if err != nil {
			return db.Response{}, fmt.Errorf("keeping the answer: %w", err)
		}
		return db.Response{Status: http.StatusCreated, Body: in.seal(p.Organization, body)}, nil
	})
	if err != nil || !again {
		return answer, err
	}
	var kept T
	body, err := in.open(p.Organization, got.Body)
	if err == nil {
		err = json.Unmarshal(body, &kept)
	}
	if errors.Is(err, secret.ErrSealed) {
		return kept, db.AnswerLost(err)
	}
	if err != nil {
		return kept, fmt.Errorf("reading the kept answer: %w", err)
	}
	in.header.Set("Idempotency-Replayed", "true")
	return kept, nil
}

func (in *incoming) place(organization string) secret.Place {
	return secret.Place{Table: "idempotency_keys", Column: "body", Row: organization + "/" + in.key}
}

func (in *incoming) seal(organization string, body []byte) []byte {
	if in.ring == nil {
		return body
	}
	return []byte(in.ring.Seal(body, in.place(organization)))
}

func (in *incoming) open(organization string, body []byte) ([]byte, error) {
	if in.ring == nil || json.Valid(body) { // kept before there was a keyring
		return body, nil
	}
	return in.ring.Open(string(body), in.place(organization))
}

// Merge returns current as the body of the request being answered changes it: a
// merge patch (RFC 7396), where null takes a field away. T is what the API lets
// a client change, as JSON.
func Merge[T any](ctx context.Context, current T) (T, error) {
	var out T
	in := incomingOf(ctx)
	if in == nil {
		return out, errors.New("a merge patch without a request")
	}
	before, err := json.Marshal(current)
	if err != nil {
		return out, fmt.Errorf("merging: %w", err)
	}
	var target, patch any
	if err := unmarshal(before, &target); err != nil {
		return out, fmt.Errorf("merging: %w", err)
	}
	if err := unmarshal(in.body, &patch); err != nil {
		return out, problem.Invalid("the body cannot be read", jsonField(err))
	}
	after, err := json.Marshal(merged(target, patch))
	if err != nil {
		return out, fmt.Errorf("merging: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(after))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return out, problem.Invalid("the change does not fit", jsonField(err))
	}
	return out, nil
}

func unmarshal(raw []byte, into *any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

// merged is the function MergePatch of RFC 7396 section 2.
func merged(target, patch any) any {
	fields, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for k, v := range fields {
		if v == nil {
			delete(object, k)
			continue
		}
		object[k] = merged(object[k], v)
	}
	return object
}
