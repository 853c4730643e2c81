//go:build !noui

package frontends

import "embed"

// The pattern has at least one match, dist-missing.html, where nothing was built.
//
//go:embed all:dist*
var built embed.FS
