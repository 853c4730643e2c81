package db_test

import (
	"embed"
	"io/fs"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/secret"
)

//go:embed testdata/migrations
var migrationFiles embed.FS

func migrations(t testing.TB) fs.FS {
	t.Helper()
	f, err := fs.Sub(migrationFiles, "testdata/migrations")
	require.NoError(t, err)
	return f
}

type note struct {
	ID             string
	OrganizationID string
	Name           string
	Rank           int64
	Open           bool
	Secret         secret.Text
	DueAt          *time.Time
	Version        int64
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

type tag struct {
	ID, OrganizationID, NoteID, Label string
}

func newNote(name string) *note {
	return &note{ID: uuid.NewString(), Name: name, Version: 1}
}
