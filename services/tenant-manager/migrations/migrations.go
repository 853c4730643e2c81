// Package migrations is the SQL that makes tenant-manager's tables, by dialect.
package migrations

import "embed"

// Files holds a folder for each dialect, with files of the same names.
//
//go:embed postgres mysql sqlite
var Files embed.FS
