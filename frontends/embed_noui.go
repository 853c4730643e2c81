//go:build noui

package frontends

import "embed"

//go:embed dist-missing.html
var built embed.FS
