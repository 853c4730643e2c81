// Package migrations holds the schema of devportal-backend, one folder a
// dialect. A file that was released never changes.
package migrations

import "embed"

// Files are the migrations, for db.DB.Migrate.
//
//go:embed postgres mysql sqlite
var Files embed.FS
