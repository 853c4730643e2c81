// Package migrations has the schema of gateway-manager for each dialect.
package migrations

import "embed"

// Files has a folder of numbered migrations for each dialect.
//
//go:embed postgres mysql sqlite
var Files embed.FS
