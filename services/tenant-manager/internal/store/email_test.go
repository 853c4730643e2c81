package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Two addresses are one where they differ in case alone: nothing that is not ASCII
// becomes ASCII by it, or an invitation to one would let in the other.
func TestAddressesAreOneButForTheirCase(t *testing.T) {
	t.Parallel()
	for address, folded := range map[string]string{
		" Ada@Example.COM ": "ada@example.com", "GRÖSSE@example.com": "grösse@example.com",
		"\u212aate@example.com": "\u212aate@example.com", "\u0130@example.com": "\u0130@example.com", "\u017f@example.com": "\u017f@example.com",
	} {
		require.Equal(t, folded, store.FoldEmail(address), "%q", address)
	}
}
