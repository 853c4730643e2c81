package db

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// The bounds of a page's size.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// PageRequest is what a client asks of a list.
type PageRequest struct {
	// Cursor is the Next of the page before; "" asks for the first.
	Cursor string
	// Limit is the number of rows; 0 means 50, and more than 200 is refused.
	Limit int
	// Sort is the column to sort by; "" means the first that the list allows.
	Sort string
	// Descending turns the order round.
	Descending bool
	// Unique says that no two rows of the organization have the same value in the
	// column that is sorted by: the order needs no id then, and neither do the indexes
	// that serve it.
	Unique bool
	// Reach bounds how far one page looks; nil = to the end.
	Reach *Reach
}

// Reach bounds how far one page looks in a list that is sorted, descending, by a
// Unique column of integers: for conditions that no index answers. A page may then
// have fewer rows than its limit, or none, and still a Next.
type Reach struct {
	// From is the value that the first page begins with, To the one that the list ends
	// with, both inclusive.
	From, To int64
	// Span is at how many values a page looks.
	Span int64
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	// Next is the cursor of the following page; "" after the last.
	Next string
	// Looked is the value that a page with a [Reach] looked back to, where it stopped
	// there with room for more rows and before the end; 0 otherwise.
	Looked int64
}

// Page returns a part of the rows, sorted by one of the columns and then by id:
// an order that stays while rows come and go. The columns must not be nullable.
// The error for a bad request is a problem 422 that names the parameter.
func (q Query[T]) Page(ctx context.Context, r PageRequest, sortable ...string) (Page[T], error) {
	if len(sortable) == 0 {
		sortable = []string{idColumn}
	}
	if r.Sort == "" {
		r.Sort = sortable[0]
	}
	if !slices.Contains(sortable, r.Sort) {
		return Page[T]{}, badParameter("sort", "enum", "sort by one of "+strings.Join(sortable, ", "))
	}
	if r.Limit < 0 || r.Limit > MaxLimit {
		return Page[T]{}, badParameter("limit", "maximum", fmt.Sprintf("ask for 1 to %d rows", MaxLimit))
	}
	if r.Limit == 0 {
		r.Limit = DefaultLimit
	}
	g, sch, err := q.build(ctx)
	if err != nil {
		return Page[T]{}, err
	}
	c := cursor{key: q.scope.db.cfg.CursorKey, of: fmt.Sprintf("%s\n%s\n%s\n%t\n%s", q.scope.organization, sch.Table, r.Sort, r.Descending, q.text())}
	if c.sort, c.id = sch.LookUpField(r.Sort), sch.LookUpField(idColumn); c.sort == nil || c.id == nil {
		return Page[T]{}, fmt.Errorf("table %s has no columns %s and id", sch.Table, r.Sort)
	}
	if c.sort.FieldType.Kind() == reflect.Pointer || c.sort.Serializer != nil {
		return Page[T]{}, fmt.Errorf("column %s cannot be sorted by: it may be null, or has a form of its own", r.Sort)
	}
	if r.Reach != nil && (!r.Unique || !r.Descending || r.Reach.Span < 1) {
		return Page[T]{}, fmt.Errorf("a page of %s with a reach: its order must be unique and descending, and its span at least 1", sch.Table)
	}
	sort, id := clause.Column{Table: sch.Table, Name: r.Sort}, clause.Column{Table: sch.Table, Name: idColumn}
	least := int64(0)
	if r.Reach != nil {
		least = r.Reach.From
	}
	if r.Cursor != "" {
		value, last, err := c.parse(r.Cursor)
		if err != nil {
			return Page[T]{}, err
		}
		if r.Unique {
			g = g.Where(beyond(sort, value, r.Descending))
		} else {
			g = g.Where(after(sort, value, id, last, r.Descending))
		}
		if n, ok := value.(int64); ok {
			least = n - 1
		}
	}
	if r.Reach != nil {
		least = max(least-r.Reach.Span+1, r.Reach.To)
		g = g.Where(clause.Gte{Column: sort, Value: least}, clause.Lte{Column: sort, Value: r.Reach.From})
	}
	order := clause.OrderBy{Columns: []clause.OrderByColumn{{Column: sort, Desc: r.Descending}}}
	if !r.Unique {
		order.Columns = append(order.Columns, clause.OrderByColumn{Column: id, Desc: r.Descending})
	}
	// The rows of the page are picked first, by what indexes have of them, and read
	// then: searching and sorting never drag whole rows along.
	owner := clause.Column{Table: sch.Table, Name: organizationColumn}
	picked := g.Select("?, ?", owner, id).Clauses(order).Limit(r.Limit + 1)
	outer, _, err := begin[T](ctx, q.scope)
	if err != nil {
		return Page[T]{}, err
	}
	items := []T{}
	err = outer.Select("?.*", clause.Table{Name: sch.Table}).
		Joins("JOIN (?) AS picked ON picked.organization_id = ? AND picked.id = ?", picked, owner, id).
		Clauses(order).Find(&items).Error
	if err != nil {
		return Page[T]{}, classify(err)
	}
	if len(items) <= r.Limit {
		if r.Reach != nil && least > r.Reach.To {
			next, err := c.at(least, "")
			return Page[T]{Items: items, Next: next, Looked: least}, err
		}
		return Page[T]{Items: items}, nil
	}
	items = items[:r.Limit]
	next, err := c.format(ctx, reflectValue(&items[r.Limit-1]))
	return Page[T]{Items: items, Next: next}, err
}

func after(sort clause.Column, value any, id clause.Column, last any, descending bool) clause.Expression {
	// The first condition is the one that an index is entered by.
	if descending {
		return clause.And(clause.Lte{Column: sort, Value: value}, clause.Or(clause.Lt{Column: sort, Value: value}, clause.Lt{Column: id, Value: last}))
	}
	return clause.And(clause.Gte{Column: sort, Value: value}, clause.Or(clause.Gt{Column: sort, Value: value}, clause.Gt{Column: id, Value: last}))
}

func beyond(column clause.Column, value any, descending bool) clause.Expression {
	if descending {
		return clause.Lt{Column: column, Value: value}
	}
	return clause.Gt{Column: column, Value: value}
}

func badParameter(name, code, detail string) error {
	return problem.Invalid("the parameter "+name+" is not right", problem.Field{Pointer: "/" + name, Code: code, Detail: detail})
}

// cursor is a place in one list: the last row's value and id, with a seal that
// holds for this list alone.
type cursor struct {
	key      []byte
	of       string
	sort, id *schema.Field
}

const sealSize = 16

func (c cursor) seal(body []byte) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write([]byte(c.of))
	m.Write([]byte{0})
	m.Write(body)
	return m.Sum(nil)[:sealSize]
}

func (c cursor) format(ctx context.Context, row reflect.Value) (string, error) {
	value, _ := c.sort.ValueOf(ctx, row)
	id, _ := c.id.ValueOf(ctx, row)
	return c.at(value, id)
}

func (c cursor) at(value, id any) (string, error) {
	body, err := json.Marshal([]any{value, id})
	if err != nil {
		return "", fmt.Errorf("making a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(c.seal(body), body...)), nil
}

func (c cursor) parse(s string) (value, id any, err error) {
	bad := badParameter("cursor", "format", "use the cursor that the page before gave, with the same filter and order; or leave it out to begin again")
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) < sealSize || !hmac.Equal(raw[:sealSize], c.seal(raw[sealSize:])) {
		return nil, nil, bad
	}
	v, i := reflect.New(c.sort.FieldType), reflect.New(c.id.FieldType)
	if err := json.Unmarshal(raw[sealSize:], &[]any{v.Interface(), i.Interface()}); err != nil {
		return nil, nil, bad
	}
	return v.Elem().Interface(), i.Elem().Interface(), nil
}
