package db_test

import (
	"os"
	"testing"

	"github.com/gatehouse/gatehouse/libs/db/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
