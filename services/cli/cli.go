// Package cli is the gatehouse command: what people and scripts do with a running
// suite from a terminal. It talks to the suite over HTTP alone, as the browser
// apps do.
package cli

import (
	"github.com/spf13/cobra"
)

// Options say what else the command does.
type Options struct {
	// Extra are commands that run something rather than use it, such as standalone.
	Extra []*cobra.Command
}

// New returns the command.
func New(o Options) *cobra.Command {
	root := &cobra.Command{
		Use:           "gatehouse",
		Short:         "API management: publish APIs, decide who may call them, see what happens",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(o.Extra...)
	return root
}
