package db_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/libs/db/dbtest"
)

func TestSystemTablesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	dbtest.CompareSchemas(t, nil)
}
