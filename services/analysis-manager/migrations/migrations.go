// Package migrations holds the tables of analysis-manager, for each dialect.
package migrations

import "embed"

// Files are the migrations, in a folder for each dialect.
//
//go:embed postgres mysql sqlite
var Files embed.FS
