// Package migrations holds the SQL that makes policy-manager's tables, a folder
// for each dialect with files of the same names.
package migrations

import "embed"

// Files are the migrations, for db.Migrate.
//
//go:embed postgres mysql sqlite
var Files embed.FS
