package db_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
)

func TestTablesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	dbtest.CompareSchemas(t, migrations(t))
}

// everywhere makes the same files for the three dialects.
func everywhere(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for _, d := range db.Dialects() {
		for name, text := range files {
			m[string(d)+"/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return m
}

// stages change a schema with old data in it, in all the ways there are.
var stages = map[string]string{
	"0001_create.sql": `CREATE TABLE IF NOT EXISTS things (id varchar(64) NOT NULL PRIMARY KEY, name varchar(64) NOT NULL);
INSERT INTO things (id, name) VALUES ('1', 'a;b'), ('2', 'it''s'), ('3', 'c -- d');
CREATE INDEX IF NOT EXISTS things_name ON things (name);`,
	"0002_count.sql": `CREATE TABLE IF NOT EXISTS counts (id varchar(64) NOT NULL PRIMARY KEY, n bigint NOT NULL);
INSERT INTO counts (id, n) SELECT 'things', count(*) FROM things;
-- repeat
UPDATE counts SET n = n + 1 WHERE n < 10;
UPDATE counts SET n = n * 2;
-- check: a name is empty
SELECT 1 FROM things WHERE name = '';
DROP INDEX IF EXISTS things_name;
CREATE UNIQUE INDEX IF NOT EXISTS things_unique ON things (name);`,
}

func stageFiles() fstest.MapFS {
	m := everywhere(stages)
	f := m["mysql/0002_count.sql"]
	f.Data = []byte(strings.Replace(string(f.Data), "things_name;", "things_name ON things;", 1))
	return m
}

const (
	crashDSN   = "GATEHOUSE_TEST_CRASH_DSN"
	crashPoint = "GATEHOUSE_TEST_CRASH_POINT"
)

// TestCrashingMigration is what TestMigrationsSurviveKill runs as a process.
func TestCrashingMigration(t *testing.T) {
	dsn := os.Getenv(crashDSN)
	if dsn == "" {
		t.SkipNow()
	}
	left, err := strconv.Atoi(os.Getenv(crashPoint))
	require.NoError(t, err)
	d := dbtest.OpenDSN(t, dsn)
	db.OnMigrating(d, func(string) {
		if left--; left < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	require.NoError(t, d.Migrate(t.Context(), stageFiles()))
}

// rerun runs a test of this binary as a process that may kill itself.
func rerun(t *testing.T, test string, env ...string) (killed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok && status.Signaled() && status.Signal() == syscall.SIGKILL, "%v\n%s", err, out)
	return true
}

func TestMigrationsSurviveKill(t *testing.T) { // R24.1
	t.Parallel()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			dsn := dbtest.DSN(t, dialect)
			// Killed before each statement, after it, and after its record. Where a
			// whole file is one transaction the work left does not shrink, so the
			// kill comes later each time.
			kills, round := 0, 1000
			if dialect == db.MySQL {
				round = 4
			}
			for point := 0; rerun(t, "TestCrashingMigration", crashDSN+"="+dsn, crashPoint+"="+strconv.Itoa(point%round)); point++ {
				kills++
				require.Less(t, kills, 200, "it never ends")
			}
			require.Greater(t, kills, 6)
			t.Logf("killed %d times", kills)
			d := dbtest.OpenDSN(t, dsn)
			var counts []int
			g := d.Unscoped(t.Context(), "looking")
			require.NoError(t, g.Raw("SELECT n FROM counts").Scan(&counts).Error)
			require.Equal(t, []int{20}, counts)
			var names []string
			require.NoError(t, g.Raw("SELECT name FROM things ORDER BY id").Scan(&names).Error)
			require.Equal(t, []string{"a;b", "it's", "c -- d"}, names)
			require.Equal(t, dbtest.Schema(t, dbtest.Open(t, dialect, stageFiles())), dbtest.Schema(t, d))
			pending, err := d.Pending(t.Context(), stageFiles())
			require.NoError(t, err)
			require.Empty(t, pending)
		})
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			ctx, dsn := t.Context(), dbtest.DSN(t, dialect)
			d := dbtest.OpenDSN(t, dsn)
			pending, err := d.Pending(ctx, stageFiles())
			require.NoError(t, err)
			require.Len(t, pending, 4)
			require.Equal(t, "system", pending[1].Set)
			require.Equal(t, db.Migration{Set: "service", Version: 2, Name: "count", Steps: 7}, pending[3])

			// Several instances start at once.
			var wg sync.WaitGroup
			errs := make([]error, 4)
			for i := range errs {
				other := dbtest.OpenDSN(t, dsn)
				wg.Go(func() { errs[i] = other.Migrate(ctx, stageFiles()) })
			}
			wg.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}

			changed := stageFiles()
			for _, d := range db.Dialects() {
				changed[string(d)+"/0001_create.sql"].Data = append(changed[string(d)+"/0001_create.sql"].Data, []byte("\nUPDATE things SET name = 'x';")...)
			}
			err = d.Migrate(ctx, changed)
			require.ErrorContains(t, err, "0001_create was changed after it was applied")
			_, err = d.Pending(ctx, changed)
			require.ErrorContains(t, err, "0001_create was changed after it was applied")

			older := everywhere(map[string]string{"0001_create.sql": stages["0001_create.sql"]})
			require.NoError(t, d.Migrate(ctx, older), "an older release beside a newer one") // R24.2

			next := stageFiles()
			for _, d := range db.Dialects() {
				next[string(d)+"/0003_strict.sql"] = &fstest.MapFile{Data: []byte("-- check: an apostrophe in a name\nSELECT 1 FROM things WHERE name LIKE '%''%';\nUPDATE things SET name = 'new';")}
			}
			pending, err = d.Pending(ctx, next)
			require.NoError(t, err)
			require.Equal(t, "an apostrophe in a name", pending[0].Problem) // R24.3
			require.ErrorContains(t, d.Migrate(ctx, next), "the present data do not allow it: an apostrophe in a name")
			require.NoError(t, d.Unscoped(ctx, "mending").Exec("UPDATE things SET name = 'its' WHERE id = '2'").Error)
			require.ErrorContains(t, d.Migrate(ctx, next), "statement 2", "a unique index is in the way")
			var n int64
			require.NoError(t, d.Unscoped(ctx, "looking").Table("things").Where("name = 'new'").Count(&n).Error)
			require.Zero(t, n)

			ended, cancel := context.WithCancel(ctx)
			cancel()
			require.ErrorIs(t, d.Migrate(ended, stageFiles()), context.Canceled)
		})
	}
}

func TestFilesAreChecked(t *testing.T) {
	t.Parallel()
	d, err := db.Open(t.Context(), db.Config{DSN: dbtest.DSN(t, db.SQLite)}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	for name, c := range map[string]struct {
		files fs.FS
		want  string
	}{
		"a folder too few": {fstest.MapFS{"sqlite/0001_a.sql": {Data: []byte("SELECT 1")}}, "folder postgres"},
		"a file too few": {func() fs.FS {
			m := everywhere(map[string]string{"0001_a.sql": "SELECT 1", "0002_b.sql": "SELECT 1"})
			delete(m, "mysql/0002_b.sql")
			return m
		}(), "folder mysql lacks 0002_b.sql"},
		"another name":      {everywhere(map[string]string{"1-a.sql": "SELECT 1"}), "want a name such as"},
		"the same number":   {everywhere(map[string]string{"0001_a.sql": "SELECT 1", "0001_b.sql": "SELECT 1"}), "have the same number"},
		"empty":             {everywhere(map[string]string{"0001_a.sql": "-- nothing\n;"}), "holds no statement"},
		"an open quote":     {everywhere(map[string]string{"0001_a.sql": "SELECT 1;\nSELECT 'x"}), "line 2: a quote that does not end"},
		"a loose directive": {everywhere(map[string]string{"0001_a.sql": "SELECT 1;\n-- repeat\n"}), "directive without a statement"},
	} {
		_, err := d.Pending(t.Context(), c.files)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestMariaDBStatementsMustBearRepetition(t *testing.T) {
	t.Parallel()
	d := dbtest.OpenDSN(t, dbtest.DSN(t, db.MySQL))
	for statement, good := range map[string]bool{
		"CREATE TABLE a (x int)":                                                 false,
		"CREATE TABLE IF NOT EXISTS a (x int)":                                   true,
		"ALTER TABLE a ADD COLUMN y int":                                         false,
		"ALTER TABLE `a` ADD COLUMN IF NOT EXISTS y decimal(1,2), DROP COLUMN z": false,
		"ALTER TABLE a ADD COLUMN IF NOT EXISTS y decimal(1,2), MODIFY x bigint": true,
		"RENAME TABLE a TO b":                                                    false,
		"DROP TABLE a":                                                           false,
		"DROP TABLE IF EXISTS a":                                                 true,
		"UPDATE a SET x = x + 1":                                                 true,
		"TRUNCATE TABLE a":                                                       false,
		"CREATE INDEX i ON a (x)":                                                false,
		"DROP INDEX IF EXISTS i ON a":                                            true,
	} {
		_, err := d.Pending(t.Context(), everywhere(map[string]string{"0001_a.sql": statement}))
		if good {
			require.NoError(t, err, statement)
		} else {
			require.ErrorContains(t, err, "cannot be run twice", statement)
		}
	}
}

func TestSplitting(t *testing.T) {
	t.Parallel()
	got, err := db.SplitSQL("a 'x;''y';-- c;\n b /* ; */ \"q;\" ; $f$ x; $f$ $1;;`;`")
	require.NoError(t, err)
	require.Equal(t, []string{"a 'x;''y'", "b \n \"q;\"", "$f$ x; $f$ $1", "`;`"}, got)
}

func FuzzSplitSQL(f *testing.F) {
	for _, s := range stages {
		f.Add(s)
	}
	f.Add("$a$ ; $a$ ' ; ' -- ;\n/* ; */")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := db.SplitSQL(text)
		if err != nil {
			return
		}
		for _, s := range got {
			again, err := db.SplitSQL(s)
			require.NoError(t, err)
			require.Equal(t, []string{s}, again, "%q", text)
		}
	})
}

func FuzzCondition(f *testing.F) {
	f.Add("a = ? OR (b = ?)")
	f.Add("a = 'x' ) OR ( 1")
	f.Fuzz(func(t *testing.T, condition string) {
		if db.CheckFragment(condition) == nil {
			// Put between parentheses it still is one statement, and closes at its end only.
			got, err := db.SplitSQL("(" + condition + ")")
			require.NoError(t, err)
			require.Len(t, got, 1)
		}
	})
}
