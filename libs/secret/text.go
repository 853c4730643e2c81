package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"gorm.io/gorm/schema"
)

// Text is a secret text: hidden in logs, JSON and errors, and encrypted in the
// database. As a field of a gorm model, in a text column, it needs a context
// from [With]; the model has a primary key, which comes before it in the table
// and is set before it is written. NULL and "" are kept as they are.
type Text struct{ plain string }

// NewText returns a secret text.
func NewText(plain string) Text { return Text{plain} }

// Reveal returns the text itself.
func (t Text) Reveal() string { return t.plain }

// String hides the text.
func (t Text) String() string { return hidden }

// Format hides the text from every verb of package fmt.
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the text.
func (t Text) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the text.
func (t Text) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

type ringKey struct{}

// With returns a context whose queries can read and write secret columns.
func With(ctx context.Context, r *Keyring) context.Context {
	return context.WithValue(ctx, ringKey{}, r)
}

var errNoRing = errors.New("a secret column without keys: use secret.With")

func from(ctx context.Context, field *schema.Field, row reflect.Value) (*Keyring, Place, error) {
	r, ok := ctx.Value(ringKey{}).(*Keyring)
	if !ok || r == nil {
		return nil, Place{}, errNoRing
	}
	id := field.Schema.PrioritizedPrimaryField
	if id == nil {
		return nil, Place{}, fmt.Errorf("table %s has no single primary key", field.Schema.Table)
	}
	key, zero := id.ValueOf(ctx, row)
	if zero {
		return nil, Place{}, fmt.Errorf("column %s.%s: the primary key is not known yet: set it, or select it before", field.Schema.Table, field.DBName)
	}
	return r, Place{Table: field.Schema.Table, Column: field.DBName, Row: fmt.Sprint(key)}, nil
}

// Scan decrypts; it is for gorm (schema.SerializerInterface).
func (t *Text) Scan(ctx context.Context, field *schema.Field, row reflect.Value, stored any) error {
	var sealed string
	switch v := stored.(type) {
	case nil:
	case string:
		sealed = v
	case []byte:
		sealed = string(v)
	default:
		return fmt.Errorf("column %s holds %T", field.DBName, stored)
	}
	t.plain = ""
	if sealed == "" {
		return nil
	}
	r, at, err := from(ctx, field, row)
	if err != nil {
		return err
	}
	plain, err := r.Open(sealed, at)
	if err != nil {
		return fmt.Errorf("column %s.%s: %w", at.Table, at.Column, err)
	}
	t.plain = string(plain)
	return nil
}

// Value encrypts; it is for gorm (schema.SerializerValuerInterface).
func (t *Text) Value(ctx context.Context, field *schema.Field, row reflect.Value, value any) (any, error) {
	var plain string
	switch v := value.(type) {
	case Text:
		plain = v.plain
	case *Text:
		if v != nil {
			plain = v.plain
		}
	default:
		return nil, fmt.Errorf("column %s: %T is not a secret text", field.DBName, value)
	}
	if plain == "" {
		return "", nil
	}
	r, at, err := from(ctx, field, row)
	if err != nil {
		return nil, err
	}
	return r.Seal([]byte(plain), at), nil
}
