package db

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	idColumn      = "id"
	versionColumn = "version"
)

// AnyVersion is the version of a caller who does not mind which.
const AnyVersion int64 = 0

// ETag returns a row's version as an entity tag (RFC 9110 section 8.8.3).
func ETag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

// ParseIfMatch returns the version that a request's If-Match header names:
// [AnyVersion] for "*". The tag may also be the bare version, as the field
// version of a representation has it. The error is a problem: 400 where the header is missing
// or not one of our tags.
func ParseIfMatch(header string) (int64, error) {
	h := strings.TrimSpace(header)
	if h == "*" {
		return AnyVersion, nil
	}
	digits, ok := strings.CutPrefix(h, `"`)
	digits, end := strings.CutSuffix(digits, `"`)
	digits = strings.TrimPrefix(digits, "v")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !end || err != nil || n < 1 || strconv.FormatInt(n, 10) != digits {
		return 0, problem.New(problem.CodeBadRequest, `send the If-Match header with the ETag of the version that you read, such as "v3", or * to change whatever is there`)
	}
	return n, nil
}

// Save writes the named columns of a row that was read before, and raises its
// version: in one statement, and only if the row still has the version that it
// was read with, or was given, where [AnyVersion] is any. T has the columns id,
// organization_id and version. Afterwards row has the new version. The error is
// [ErrNotFound], or a problem 412 when somebody else was faster.
func Save[T any](ctx context.Context, s *Scope, row *T, columns ...string) error {
	g, sch, err := start[T](ctx, s)
	if err != nil {
		return err
	}
	id, version := sch.LookUpField(idColumn), sch.LookUpField(versionColumn)
	if id == nil || version == nil {
		return fmt.Errorf("table %s has no columns id and version", sch.Table)
	}
	for _, c := range columns {
		if f := sch.LookUpField(c); f == nil || f.DBName != c || slices.Contains([]string{idColumn, versionColumn, organizationColumn}, c) {
			return fmt.Errorf("column %q of table %s cannot be saved", c, sch.Table)
		}
	}
	v := reflectValue(row)
	key, zero := id.ValueOf(ctx, v)
	if zero {
		return fmt.Errorf("saving in %s: the row has no id", sch.Table)
	}
	was, err := asVersion(version.ValueOf(ctx, v))
	if err != nil {
		return err
	}
	if was == AnyVersion {
		return saveAny(ctx, s, row, version, fmt.Sprint(key), columns)
	}
	next := reflect.New(v.Type()).Elem()
	next.Set(v) // the caller's row stays as it is if this fails
	if err := version.Set(ctx, next, was+1); err != nil {
		return err
	}
	g = g.Where(clause.Eq{Column: clause.Column{Table: sch.Table, Name: idColumn}, Value: key}).
		Where(clause.Eq{Column: clause.Column{Table: sch.Table, Name: versionColumn}, Value: was})
	chosen := append(slices.Clone(columns), versionColumn)
	if f := sch.LookUpField("updated_at"); f != nil && !slices.Contains(columns, "updated_at") {
		chosen = append(chosen, "updated_at")
		if err := f.Set(ctx, next, s.db.Now()); err != nil {
			return err
		}
	}
	g = g.Select(chosen).Updates(next.Addr().Interface())
	if err := classify(g.Error); err != nil {
		return err
	}
	if g.RowsAffected == 0 {
		return missed[T](ctx, s, fmt.Sprint(key), was)
	}
	v.Set(next)
	return nil
}

// saveAny takes whatever version is there, until nobody is faster.
func saveAny[T any](ctx context.Context, s *Scope, row *T, version *schema.Field, id string, columns []string) error {
	for range txAttempts {
		var now []int64
		if err := From[T](s).byID(id).Aggregate(ctx, &now, versionColumn, ""); err != nil {
			return err
		}
		if len(now) == 0 {
			return ErrNotFound
		}
		if err := version.Set(ctx, reflectValue(row), now[0]); err != nil {
			return err
		}
		err := Save(ctx, s, row, columns...)
		if !problem.Is(err, problem.CodePreconditionFailed) {
			return err
		}
	}
	return problem.New(problem.CodeConflict, "others change it all the time; try again")
}

// Remove deletes the row with the id if it still has the version. The error is
// as with [Save].
func Remove[T any](ctx context.Context, s *Scope, id string, version int64) error {
	q := From[T](s).byID(id)
	if version != AnyVersion {
		q = q.Where("version = ?", version)
	}
	n, err := q.Delete(ctx)
	if err != nil || n > 0 {
		return err
	}
	return missed[T](ctx, s, id, version)
}

// missed says why a statement met no row.
func missed[T any](ctx context.Context, s *Scope, id string, version int64) error {
	var now []int64
	if err := From[T](s).byID(id).Aggregate(ctx, &now, versionColumn, ""); err != nil {
		return err
	}
	if len(now) == 0 || version == AnyVersion {
		return ErrNotFound
	}
	return Expect(now[0], version)
}

// Expect returns a problem 412 where a row has another version than the one that
// is wanted, and that is not [AnyVersion]. Who has read the row saves it with the
// version that it was read with, so that nobody is faster in between.
func Expect(now, want int64) error {
	if want == AnyVersion || want == now {
		return nil
	}
	return problem.New(problem.CodePreconditionFailed, "it has the version %s now, and not %s: read it again, and repeat the change", ETag(now), ETag(want))
}

func asVersion(v any, _ bool) (int64, error) {
	r := reflect.ValueOf(v)
	if !r.CanInt() {
		return 0, fmt.Errorf("a version is an int64, not %T", v)
	}
	return r.Int(), nil
}
