package secrettest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gatehouse/gatehouse/libs/db"
)

// sealed begins what is encrypted.
const sealed = "gh1."

// nothingIsText looks through every column of every table: no secret is there as
// text, and what is encrypted is named for rotation.
func (x *contract) nothingIsText(t *testing.T) {
	t.Helper()
	known := append(slices.Clone(x.Passing), "idempotency_keys.body")
	for _, c := range x.Columns {
		known = append(known, column(c))
	}
	var tables []string
	names := map[db.Dialect]string{
		db.Postgres: "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
		db.MySQL:    "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
		db.SQLite:   "SELECT name FROM sqlite_master WHERE type = 'table'",
	}[x.d.Dialect()]
	require.NoError(t, x.g.Raw(names).Scan(&tables).Error)
	require.NotEmpty(t, tables)
	for _, table := range tables {
		var rows []map[string]any
		require.NoError(t, x.g.Session(&gorm.Session{NewDB: true}).Table(table).Find(&rows).Error, table)
		for _, row := range rows {
			for name, value := range row {
				text := textOf(value)
				if strings.HasPrefix(text, sealed) {
					require.Contains(t, known, table+"."+name, "what is encrypted is named for rotation")
				}
				for _, all := range x.kept {
					for _, one := range all {
						require.NotContains(t, text, one.Text, "%s.%s holds a secret as text", table, name)
					}
				}
			}
		}
	}
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}
