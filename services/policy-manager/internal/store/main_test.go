package store_test

import (
	"os"
	"testing"

	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/services/policy-manager/migrations"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func TestTheDialectsHaveTheSameSchema(t *testing.T) {
	t.Parallel()
	dbtest.CompareSchemas(t, migrations.Files)
}
