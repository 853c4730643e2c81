package db

// OnMigrating has f called at every point of the work of migrating.
func OnMigrating(d *DB, f func(point string)) { d.migrating = f }

// SplitSQL returns the statements of a file.
func SplitSQL(text string) ([]string, error) {
	steps, err := splitSQL(text)
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.sql
	}
	return out, err
}

// CheckFragment says whether a condition may be put into a query.
func CheckFragment(sql string) error { return checkFragment(sql) }
