package store_test

import (
	"os"
	"testing"

	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/services/gateway-manager/migrations"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// The three dialects have the same tables, columns and indexes.
func TestSchemasAreTheSame(t *testing.T) { //nolint:paralleltest // its parts are
	dbtest.CompareSchemas(t, migrations.Files)
}
