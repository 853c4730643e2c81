package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Every filter by itself and with others, on few users and on so many that they are
// found another way.
func testUserList(t *testing.T, s *store.Store) {
	ctx := t.Context()
	org, other := organization(t, s, "list"), organization(t, s, "list-other")
	id := map[string]string{}
	user := func(org, name string) string {
		u := store.User{Name: name, Email: name + "@list.example"}
		tx(t, s, org, func(tx *store.Tx) error { return tx.CreateUser(ctx, &u) })
		id[name] = u.ID
		return u.ID
	}
	for _, name := range []string{"ada", "bob", "cem", "dan", "eve"} {
		user(org, name)
	}
	stranger := user(other, "stranger")
	now := s.Now()
	connection := store.SSOConnection{Name: "Okta", Kind: "oidc", Enabled: true, Scopes: []string{}, Roles: []string{}, GroupRoles: []store.SSOGroupRole{}}
	directory := store.SCIMDirectory{Name: "Okta"}
	team, staff := store.Group{Name: "Team"}, store.Group{Name: "Staff"}
	factor := store.Factor{UserID: id["ada"], Kind: "totp", Secret: secret.NewText("x")}
	tx(t, s, org, func(tx *store.Tx) error {
		require.NoError(t, tx.CreateSSOConnection(ctx, &connection))
		require.NoError(t, tx.CreateSCIMDirectory(ctx, &directory))
		require.NoError(t, tx.CreateSSOIdentity(ctx, &store.SSOIdentity{ConnectionID: connection.ID, UserID: id["bob"], Subject: "b", Granted: map[string]string{}}))
		require.NoError(t, tx.CreateSSOIdentity(ctx, &store.SSOIdentity{ConnectionID: connection.ID, UserID: id["cem"], Subject: "c", Granted: map[string]string{}}))
		require.NoError(t, tx.CreateSCIMResource(ctx, &store.SCIMResource{DirectoryID: directory.ID, Kind: store.KindUser, ResourceID: id["cem"], UserName: "cem"}))
		require.NoError(t, tx.CreateFactor(ctx, &factor))
		require.NoError(t, tx.SignedIn(ctx, id["ada"], now))
		require.NoError(t, tx.SignedIn(ctx, id["bob"], now.Add(-40*24*time.Hour)))
		require.NoError(t, tx.CreateGroup(ctx, &team))
		require.NoError(t, tx.CreateGroup(ctx, &staff))
		require.NoError(t, tx.AddMember(ctx, &store.GroupMember{GroupID: staff.ID, MemberID: team.ID, MemberKind: store.KindGroup}))
		require.NoError(t, tx.AddMember(ctx, &store.GroupMember{GroupID: team.ID, MemberID: id["dan"], MemberKind: store.KindUser}))
		require.NoError(t, tx.AddMember(ctx, &store.GroupMember{GroupID: staff.ID, MemberID: id["bob"], MemberKind: store.KindUser}))
		require.NoError(t, tx.CreateGrant(ctx, &store.Grant{PrincipalID: staff.ID, PrincipalKind: store.KindGroup, RoleID: "viewer"}))
		require.NoError(t, tx.CreateGrant(ctx, &store.Grant{PrincipalID: id["ada"], PrincipalKind: store.KindUser, RoleID: "viewer"}))
		require.NoError(t, tx.CreateGrant(ctx, &store.Grant{PrincipalID: id["cem"], PrincipalKind: store.KindUser, RoleID: "viewer", Effect: store.Deny}))
		past := now.Add(-time.Hour)
		return tx.CreateGrant(ctx, &store.Grant{PrincipalID: id["eve"], PrincipalKind: store.KindUser, RoleID: "viewer", ExpiresAt: &past})
	})
	found := func(f store.UserFilter) []string {
		t.Helper()
		page, err := s.For(org).Users(ctx, f, db.PageRequest{})
		require.NoError(t, err)
		out := []string{}
		for _, u := range page.Items {
			out = append(out, u.Name)
		}
		n, err := s.For(org).CountUsers(ctx, f)
		require.NoError(t, err)
		if page.Next == "" {
			require.EqualValues(t, len(out), n)
		}
		return out
	}
	yes, no := true, false
	require.Empty(t, found(store.UserFilter{SecondFactor: &yes}), "not set up yet")
	tx(t, s, org, func(tx *store.Tx) error { return tx.ConfirmFactor(ctx, factor.UserID, factor.ID, 1) })
	sso, scim := store.FromSSO+connection.ID, store.FromSCIM+directory.ID
	for name, c := range map[string]struct {
		filter store.UserFilter
		want   []string
	}{
		"all":                 {store.UserFilter{}, []string{"ada", "bob", "cem", "dan", "eve"}},
		"local":               {store.UserFilter{Source: store.Local}, []string{"ada", "dan", "eve"}},
		"a connection":        {store.UserFilter{Source: sso}, []string{"bob"}},
		"any connection":      {store.UserFilter{Source: "sso"}, []string{"bob"}},
		"a directory":         {store.UserFilter{Source: scim}, []string{"cem"}},
		"any directory":       {store.UserFilter{Source: "scim"}, []string{"cem"}},
		"a second factor":     {store.UserFilter{SecondFactor: &yes}, []string{"ada"}},
		"no second factor":    {store.UserFilter{SecondFactor: &no}, []string{"bob", "cem", "dan", "eve"}},
		"never signed in":     {store.UserFilter{NeverSignedIn: true}, []string{"cem", "dan", "eve"}},
		"not for a month":     {store.UserFilter{SignedInBefore: now.Add(-30 * 24 * time.Hour)}, []string{"bob"}},
		"a role":              {store.UserFilter{Role: "viewer"}, []string{"ada", "bob", "dan"}},
		"a role of nobody":    {store.UserFilter{Role: "operator"}, []string{}},
		"a group":             {store.UserFilter{Group: team.ID}, []string{"dan"}},
		"a group with others": {store.UserFilter{Group: staff.ID}, []string{"bob", "dan"}},
		"together":            {store.UserFilter{Role: "viewer", Group: staff.ID, SecondFactor: &no, Status: store.Active, Search: "DA"}, []string{"dan"}},
		"nobody together":     {store.UserFilter{Role: "viewer", Source: scim}, []string{}},
	} {
		require.Equal(t, c.want, found(c.filter), name)
	}

	// Where somebody comes from follows what becomes of that.
	tx(t, s, org, func(tx *store.Tx) error { return tx.DeleteSCIMDirectory(ctx, directory.ID, directory.Version) })
	require.Equal(t, []string{"bob", "cem"}, found(store.UserFilter{Source: sso}), "cem was linked to the connection, too")
	tx(t, s, org, func(tx *store.Tx) error { return tx.DropSSOIdentities(ctx, connection.ID) })
	require.Len(t, found(store.UserFilter{Source: store.Local}), 5)
	tx(t, s, org, func(tx *store.Tx) error { _, err := tx.DropFactors(ctx, id["ada"]); return err })
	require.Empty(t, found(store.UserFilter{SecondFactor: &yes}))

	tx(t, s, org, func(tx *store.Tx) error {
		for i := range 510 {
			u := store.User{Name: fmt.Sprintf("n%03d", i), Email: fmt.Sprintf("n%03d@list.example", i)}
			require.NoError(t, tx.CreateUser(ctx, &u))
			require.NoError(t, tx.CreateGrant(ctx, &store.Grant{PrincipalID: u.ID, PrincipalKind: store.KindUser, RoleID: "viewer"}))
		}
		return nil
	})
	many := found(store.UserFilter{Role: "viewer"})
	require.Equal(t, []string{"ada", "bob", "dan", "n000"}, many[:4])
	require.Len(t, many, db.DefaultLimit)
	require.Equal(t, []string{"ada"}, found(store.UserFilter{Role: "viewer", Search: "ada"}))
	n, err := s.For(org).CountUsers(ctx, store.UserFilter{Role: "viewer"})
	require.NoError(t, err)
	require.EqualValues(t, 513, n)
	page, err := s.For(other).Users(ctx, store.UserFilter{Role: "viewer"}, db.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	all, err := s.For(other).Users(ctx, store.UserFilter{}, db.PageRequest{})
	require.NoError(t, err)
	require.Len(t, all.Items, 1)
	require.Equal(t, stranger, all.Items[0].ID)

	invited := store.Invitation{Email: "New@List.example", Roles: []store.InvitedRole{}, GroupIDs: []string{}, TokenHash: "h", ExpiresAt: now.Add(time.Hour)}
	tx(t, s, org, func(tx *store.Tx) error { return tx.CreateInvitation(ctx, &invited) })
	known, err := s.For(org).KnownByEmail(ctx, []string{"ADA@list.example", "new@list.EXAMPLE", "nobody@list.example"})
	require.NoError(t, err)
	require.Equal(t, store.Known{Users: map[string]bool{"ada@list.example": true}, Invited: map[string]bool{"new@list.example": true}}, known)
	tx(t, s, org, func(tx *store.Tx) error { return tx.RenewInvitation(ctx, &invited, "h2", now.Add(2*time.Hour)) })
	_, err = s.InvitationByToken(ctx, "h")
	require.ErrorIs(t, err, db.ErrNotFound, "the link of before")
	again, err := s.InvitationByToken(ctx, "h2")
	require.NoError(t, err)
	require.Equal(t, invited.Version, again.Version)
}
