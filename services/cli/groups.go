package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// anyVersion is the If-Match of commands: they act on what is there.
const anyVersion = "*"

func (a *tool) groups() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List groups", Args: exactly()}
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		all, err := pages(func(cursor *string) ([]tenant.Group, *string, error) {
			l, err := answer[tenant.GroupList](u.tenant.ListGroups(ctx, &tenant.ListGroupsParams{Cursor: cursor, Limit: ptr(200)}))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("group", "id", "members", "description")
			for _, x := range all {
				t.Row(x.Name, x.Id, strconv.FormatInt(x.Members, 10), value(x.Description))
			}
			t.Write(w, "There are no groups. gatehouse group create makes one.")
		})
	})
	var description string
	create := &cobra.Command{Use: "create NAME", Short: "Make a group", Args: exactly("the name")}
	create.Flags().StringVar(&description, "description", "", "what it is for")
	create.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		in := tenant.GroupInput{Name: args[0]}
		if description != "" {
			in.Description = &description
		}
		x, err := answer[tenant.Group](u.tenant.CreateGroup(ctx, &tenant.CreateGroupParams{}, in))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "The group %s is made (%s).\n", x.Name, x.Id) })
	})
	members := func(use, short, did string, act func(ctx context.Context, u *suite, group, member string) error) *cobra.Command {
		c := &cobra.Command{Use: use + " GROUP WHO", Short: short, Args: exactly("the group", "who")}
		c.RunE = a.run(func(ctx context.Context, args []string) error {
			u, err := a.suite()
			if err != nil {
				return err
			}
			group, err := u.principal(ctx, args[0])
			if err != nil {
				return err
			}
			member, err := u.principal(ctx, args[1])
			if err != nil {
				return err
			}
			if err := act(ctx, u, *group, *member); err != nil {
				return err
			}
			return a.result(map[string]string{"group": *group, "member": *member}, func(w io.Writer) { fmt.Fprintf(w, "%s is %s %s.\n", args[1], did, args[0]) })
		})
		return c
	}
	add := members("add", "Put a user, a service account or a group into a group", "in", func(ctx context.Context, u *suite, group, member string) error {
		return done(u.tenant.AddGroupMember(ctx, group, &tenant.AddGroupMemberParams{}, tenant.GroupMemberInput{Member: member}))
	})
	remove := members("remove", "Take a member out of a group", "out of", func(ctx context.Context, u *suite, group, member string) error {
		return done(u.tenant.RemoveGroupMember(ctx, group, member))
	})
	return group("group", "Groups of users, service accounts and groups", list, create, add, remove)
}

func (a *tool) roles() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List roles", Args: exactly()}
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		all, err := pages(func(cursor *string) ([]tenant.Role, *string, error) {
			l, err := answer[tenant.RoleList](u.tenant.ListRoles(ctx, &tenant.ListRolesParams{Cursor: cursor, Limit: ptr(200)}))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("role", "kind", "permissions", "description")
			for _, x := range all {
				kind := "custom"
				if x.BuiltIn {
					kind = "built in"
				}
				t.Row(x.Name, kind, strconv.Itoa(len(x.Permissions)), value(x.Description))
			}
			t.Write(w, "There are no roles.")
		})
	})
	create := &cobra.Command{
		Use: "create NAME PERMISSION...", Short: "Make a role", Args: cobra.MinimumNArgs(2),
		Example: "  gatehouse role create shipper api:read deployment:deploy:stg",
	}
	create.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := answer[tenant.Role](u.tenant.CreateRole(ctx, &tenant.CreateRoleParams{}, tenant.RoleInput{Name: args[0], Permissions: args[1:]}))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "The role %s is made (%s).\n", x.Name, x.Id) })
	})
	return group("role", "Roles", list, create)
}

// grants returns grants of somebody, or of a role; nil and "" are any.
func (s *suite) grants(ctx context.Context, who *string, role string) ([]tenant.Grant, error) {
	p := tenant.ListGrantsParams{Principal: who, Limit: ptr(200)}
	if role != "" {
		p.Role = &role
	}
	return pages(func(cursor *string) ([]tenant.Grant, *string, error) {
		p.Cursor = cursor
		l, err := answer[tenant.GrantList](s.tenant.ListGrants(ctx, &p))
		return l.Items, l.Next, err
	})
}

func grantTable(w io.Writer, all []tenant.Grant) {
	t := show.NewTable("who", "effect", "role", "in", "until", "id")
	for _, g := range all {
		t.Row(g.Principal.Name, string(g.Effect), g.RoleName, within(g.Project, g.Api, g.Environment), when(value(g.ExpiresAt)), g.Id)
	}
	t.Write(w, "There are no grants.")
}

func (a *tool) grants() *cobra.Command {
	var role string
	list := &cobra.Command{Use: "list", Short: "List who has which role", Args: exactly()}
	list.Flags().StringVar(&role, "role", "", "only of this role")
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		all, err := u.grants(ctx, nil, role)
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) { grantTable(w, all) })
	})
	var at place
	var deny bool
	var lasting time.Duration
	create := &cobra.Command{
		Use: "create WHO ROLE", Short: "Give a role, or deny it", Args: exactly("who", "the role"),
		Example: "  gatehouse grant create developers publisher --project payments --for 48h",
	}
	at.flags(create.Flags())
	create.Flags().BoolVar(&deny, "deny", false, "forbid what the role has, in place of allowing it")
	create.Flags().DurationVar(&lasting, "for", 0, "for how long; for good by default")
	create.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		who, err := u.principal(ctx, args[0])
		if err != nil {
			return err
		}
		in, err := at.find(ctx, u)
		if err != nil {
			return err
		}
		body := tenant.GrantInput{Principal: *who, Role: args[1], Project: in.project, Api: in.api, Environment: in.environment}
		if deny {
			body.Effect = ptr(tenant.Effect("deny"))
		}
		if lasting > 0 {
			body.ExpiresAt = ptr(time.Now().Add(lasting).UTC())
		}
		x, err := answer[tenant.Grant](u.tenant.CreateGrant(ctx, &tenant.CreateGrantParams{}, body))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s %s, %s (%s).\n", x.Principal.Name, x.Effect, x.RoleName, within(x.Project, x.Api, x.Environment), x.Id)
		})
	})
	take := &cobra.Command{Use: "delete ID", Short: "Take a role away, or a denial", Args: exactly("the id of the grant")}
	take.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		if err := done(u.tenant.DeleteGrant(ctx, args[0], &tenant.DeleteGrantParams{IfMatch: anyVersion})); err != nil {
			return err
		}
		return a.result(map[string]string{"id": args[0]}, func(w io.Writer) { fmt.Fprintln(w, "It is taken away.") })
	})
	return group("grant", "Who has which role", list, create, take)
}
