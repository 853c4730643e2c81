package tenancy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/tenancy/tenancytest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// files are tables of which one refers to another, and one has no id.
func files() fstest.MapFS {
	out := fstest.MapFS{}
	for d, blob := range map[db.Dialect]string{db.SQLite: "blob", db.Postgres: "bytea", db.MySQL: "longblob"} {
		end, once, text := ";\n", "", "text"
		if d == db.MySQL {
			end, once, text = " ENGINE=InnoDB;\n", "IF NOT EXISTS ", "longtext"
		}
		out[string(d)+"/0001_things.sql"] = &fstest.MapFile{Data: []byte(
			"CREATE TABLE " + once + "a_children (id varchar(64) NOT NULL PRIMARY KEY, organization_id varchar(64) NOT NULL, thing_id varchar(64) NOT NULL, token_hash varchar(64) NOT NULL, packed " + blob + " NOT NULL, " +
				"CONSTRAINT children_thing FOREIGN KEY (thing_id) REFERENCES things (id))" + end +
				"CREATE TABLE " + once + "pairs (organization_id varchar(64) NOT NULL, n integer NOT NULL, name varchar(64) NOT NULL, PRIMARY KEY (organization_id, n))" + end +
				"CREATE TABLE " + once + "platform (id varchar(64) NOT NULL PRIMARY KEY)" + end,
		)}
		things := "CREATE TABLE " + once + "things (id varchar(64) NOT NULL PRIMARY KEY, organization_id varchar(64) NOT NULL, name varchar(200) NOT NULL, settings " + text + " NOT NULL, secret " + text + " NOT NULL)" + end
		f := out[string(d)+"/0001_things.sql"]
		f.Data = append([]byte(things), f.Data...)
	}
	return out
}

type thing struct {
	ID, OrganizationID, Name, Settings, Secret string
}

func (thing) TableName() string { return "things" }

// As many as may be are made, whoever is at it at the same time, and not one more.
func TestALimitHoldsExactly(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, files(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const most, callers = 7, 24
		require.NoError(t, tenancy.Keep(ctx, d, tenant.Organization{ID: "a", Version: 1, Quotas: tenant.Quotas{tenant.ResourceAPIs: most}}, tenant.Organization{ID: "b", Version: 1}))
		one := func(organization string, n int) error {
			return d.Tx(ctx, func(tx *db.Tx) error {
				err := tenancy.Room(ctx, tx, organization, tenant.ResourceAPIs, func(ctx context.Context) (int64, error) {
					return db.From[thing](tx.For(organization)).Count(ctx)
				})
				if err != nil {
					return err
				}
				return db.Create(ctx, tx.For(organization), &thing{ID: fmt.Sprint(organization, n)})
			})
		}
		var made, full atomic.Int64
		var all sync.WaitGroup
		for n := range callers {
			all.Go(func() {
				switch err := one("a", n); {
				case err == nil:
					made.Add(1)
				case tenancy.IsFull(err):
					full.Add(1)
				default:
					t.Errorf("neither made nor full: %v", err)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, most, made.Load())
		require.EqualValues(t, callers-most, full.Load())
		require.NoError(t, one("b", 1), "another organization has no limit")
		require.NoError(t, one("c", 1), "nor has one that was not heard of")

		var p *problem.Problem
		require.ErrorAs(t, one("a", callers), &p)
		require.Equal(t, 409, p.Status)
		require.Equal(t, "the organization may have 7 APIs and has 7: delete some that are not needed, or ask an administrator of the platform to raise the limit", p.Detail)
		require.Equal(t, []problem.Field{{Pointer: "/quotas/apis", Code: "maximum", Detail: "at most 7", Params: &problem.Params{Limit: 7}}}, p.Errors)

		// What is older than what is known changes nothing; what is newer does.
		require.NoError(t, tenancy.Keep(ctx, d, tenant.Organization{ID: "a", Version: 3, Quotas: tenant.Quotas{tenant.ResourceAPIs: most + 1}}))
		require.NoError(t, tenancy.Keep(ctx, d, tenant.Organization{ID: "a", Version: 2}))
		require.NoError(t, one("a", callers))
		require.True(t, tenancy.IsFull(one("a", callers+1)))
		require.NoError(t, tenancy.Keep(ctx, d, tenant.Organization{ID: "a", Version: 4}))
		require.NoError(t, one("a", callers+1))
	})
}

func TestPurge(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, files(), func(t *testing.T, d *db.DB) {
		require.Error(t, tenancy.Purge(t.Context(), d, ""))
		tenancytest.Purge(t, d, []string{"platform"}, func(o string) error { return tenancy.Purge(t.Context(), d, o) })

		// Of the whole list only what is still here is looked at.
		calls := 0
		away := func(every bool) {
			require.NoError(t, tenancy.TakeAway(t.Context(), d, []tenant.Organization{{ID: tenancytest.Mine}, {ID: tenancytest.Theirs}}, every, func(context.Context, tenant.Organization) error { calls++; return nil }))
		}
		away(false)
		require.Equal(t, 1, calls)
		away(false)
		require.Equal(t, 1, calls)
		away(true)
		require.Equal(t, 3, calls)
	})
}

// All rows come, once each, in whatever portions, and nothing that is secret.
func TestExport(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, files(), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		g := d.Unscoped(ctx, "a test")
		const large = 1_500_000
		for n := range 701 {
			row := thing{ID: fmt.Sprintf("t%04d", n), OrganizationID: "a", Name: "Ada", Settings: `{"b":[1]}`, Secret: "hidden-secret"}
			switch n {
			case 3:
				row.Settings = `{"key":"gh1.k.sealed"}`
			case 4:
				row.Settings = `"` + strings.Repeat("é", large/2) + `"`
			}
			require.NoError(t, g.Create(&row).Error)
		}
		require.NoError(t, g.Create(&thing{ID: "other", OrganizationID: "b", Name: "Eve"}).Error)
		for n := range 3 {
			require.NoError(t, g.Exec("INSERT INTO pairs (organization_id, n, name) VALUES (?, ?, ?)", "a", n, "pair").Error)
		}
		require.NoError(t, g.Exec("INSERT INTO a_children (id, organization_id, thing_id, token_hash, packed) VALUES ('c', 'a', 't0001', 'hidden-hash', ?)", []byte{0xff}).Error)

		e := &tenancy.Exporter{DB: d, Kinds: map[string]string{"a_children": "children"}, Show: map[string]func(context.Context, string, map[string]any) (any, error){
			"a_children.packed": func(_ context.Context, organization string, row map[string]any) (any, error) {
				return fmt.Sprintf("%s %v %x", organization, row["id"], row["packed"]), nil
			},
		}}
		if d.Dialect() == db.SQLite {
			tenancytest.Columns(t, e)
		}
		got, portions := map[string]string{}, 0
		for ask := (tenant.Portion{Organization: "a"}); ; {
			out, err := e.Portion(ctx, ask)
			require.NoError(t, err)
			require.LessOrEqual(t, len(out.Rows), 700_000)
			got[out.Kind] += string(out.Rows)
			portions++
			if out.Next == "" {
				break
			}
			ask.Cursor = out.Next
		}
		require.Greater(t, portions, 5)
		require.JSONEq(t, `{"id":"c","thing_id":"t0001","packed":"a c ff"}`, got["children"])
		require.Equal(t, 3, strings.Count(got["pairs"], "\n"))
		lines := strings.Split(strings.TrimSpace(got["things"]), "\n")
		require.Len(t, lines, 701)
		for n, line := range lines {
			var row struct {
				ID       string          `json:"id"`
				Settings json.RawMessage `json:"settings"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			require.Equal(t, fmt.Sprintf("t%04d", n), row.ID)
			switch n {
			case 3:
				require.Empty(t, row.Settings, "it has something sealed in it")
			case 4:
				require.Greater(t, len(row.Settings), large)
			default:
				require.JSONEq(t, `{"b":[1]}`, string(row.Settings))
			}
		}
		for kind, text := range got {
			require.NotContains(t, text, "hidden", kind)
			require.NotContains(t, text, "Eve", kind)
		}
		_, err := e.Portion(ctx, tenant.Portion{Organization: "a", Cursor: "?"})
		require.True(t, problem.Is(err, problem.CodeInvalidInput))
		_, err = e.Portion(ctx, tenant.Portion{})
		require.Error(t, err)
	})
}
