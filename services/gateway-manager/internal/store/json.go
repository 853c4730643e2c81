package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// JSON is a value that is kept as JSON in a text column.
type JSON[T any] struct{ V T }

// Value writes the JSON; it is for database/sql.
func (j JSON[T]) Value() (driver.Value, error) {
	raw, err := json.Marshal(j.V)
	if err != nil {
		return nil, fmt.Errorf("writing a JSON column: %w", err)
	}
	return string(raw), nil
}

// Scan reads the JSON; it is for database/sql.
func (j *JSON[T]) Scan(stored any) error {
	var raw []byte
	switch v := stored.(type) {
	case string:
		raw = []byte(v)
	case []byte:
		raw = v
	case nil:
		return nil
	default:
		return fmt.Errorf("reading a JSON column: it holds %T", stored)
	}
	var value T
	if err := json.Unmarshal(raw, &value); err != nil {
		return fmt.Errorf("reading a JSON column: %w", err)
	}
	j.V = value
	return nil
}

// GormDataType is the kind of the column, for gorm.
func (JSON[T]) GormDataType() string { return "text" }
