package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePageIsThatOfTheDocuments(t *testing.T) {
	t.Parallel()
	want, err := page("../../..")
	require.NoError(t, err)
	got, err := os.ReadFile("../../../../docs/reference/permissions.md")
	require.NoError(t, err)
	require.Equal(t, want, string(got), "make generate writes it anew")
}
