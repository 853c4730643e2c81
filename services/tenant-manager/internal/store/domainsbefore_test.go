package store_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/migrations"
)

// Domains that led somewhere before they had to be proven go on to do so; where two
// organizations had one, single sign-on comes first.
func TestDomainsOfBeforeAreVerified(t *testing.T) {
	t.Parallel()
	before := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(migrations.Files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/0021_") || strings.Contains(path, "/0027_") { // which goes on from it
			return err
		}
		b, err := fs.ReadFile(migrations.Files, path)
		before[path] = &fstest.MapFile{Data: b}
		return err
	}))
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			ctx, d := t.Context(), dbtest.Open(t, dialect, before)
			g := d.Unscoped(ctx, "rows of before")
			for _, row := range []string{
				"sso_domains (id, organization_id, connection_id, domain) VALUES ('a', 'one', 'c', 'acme.example')",
				"scim_domains (id, organization_id, directory_id, domain) VALUES ('b', 'one', 'd', 'acme.example')",
			} {
				require.NoError(t, g.Exec("INSERT INTO "+row).Error)
			}
			require.NoError(t, g.Exec("INSERT INTO scim_domains (id, organization_id, directory_id, domain) VALUES ('f', 'two', 'e', 'two.example')").Error)
			require.NoError(t, g.Exec("INSERT INTO sso_domains (id, organization_id, connection_id, domain) VALUES ('g', 'two', 'h', 'three.example')").Error)
			require.NoError(t, g.Exec("INSERT INTO scim_domains (id, organization_id, directory_id, domain) VALUES ('i', 'one', 'd', 'three.example')").Error)
			require.NoError(t, d.Migrate(ctx, migrations.Files))
			s := store.New(d, nil, nil)
			for name, has := range map[string]string{"acme.example": "one", "two.example": "two", "three.example": "two"} {
				got, err := s.VerifiedDomain(ctx, name)
				require.NoError(t, err, name)
				require.Equal(t, has, got.OrganizationID, name)
				require.Equal(t, store.FromBefore, got.Method)
				require.Equal(t, store.SSOPreferred, got.SingleSignOn)
				require.NotEmpty(t, got.RecordValue)
				require.WithinDuration(t, time.Now(), got.CreatedAt, time.Hour)
				require.Nil(t, got.NextCheckAt, "nobody has published a record yet")
			}
			waits, err := s.For("one").DomainNamed(ctx, "three.example")
			require.NoError(t, err)
			require.Equal(t, store.DomainPending, waits.Status())
			require.Equal(t, "d", waits.DirectoryID)
		})
	}
}
