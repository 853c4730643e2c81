package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) users() *cobra.Command {
	return group("user", "Users of the organization",
		a.userList(), a.userInvite(), a.userImport(), a.userBulk(), a.userJobs(),
		a.userStatus("disable", "Disable users; they are signed out everywhere", "is disabled", tenant.StatusDisabled),
		a.userStatus("enable", "Enable users who are disabled", "is enabled", tenant.StatusActive))
}

// userFilter narrows the users as flags say.
type userFilter struct{ text, status, source, factor, seen, role, in string }

func (u *userFilter) flags(f *pflag.FlagSet) {
	f.StringVar(&u.text, "search", "", "a part of the name or of the e-mail address")
	f.StringVar(&u.status, "status", "", "active or disabled")
	f.StringVar(&u.source, "source", "", "where they come from: local, sso, scim, or one of them by name, such as scim:Okta")
	f.StringVar(&u.factor, "mfa", "", "yes or no: whether they have a second factor")
	f.StringVar(&u.seen, "seen", "", "never, or 90d for those who last signed in more than 90 days ago")
	f.StringVar(&u.role, "role", "", "a role that they have somewhere, by themselves or by a group")
	f.StringVar(&u.in, "group", "", "a group that they are in")
}

// filter returns the filter of the API.
func (u *userFilter) filter(now time.Time) (out tenant.BulkJobFilter, err error) {
	for flag, into := range map[*string]**string{&u.text: &out.Q, &u.source: &out.Source, &u.role: &out.Role, &u.in: &out.Group} {
		if *flag != "" {
			*into = flag
		}
	}
	if u.status != "" {
		out.Status = ptr(tenant.Status(u.status))
	}
	switch u.factor {
	case "":
	case "yes", "no":
		out.SecondFactor = ptr(u.factor == "yes")
	default:
		return out, usage("--mfa is yes or no")
	}
	days, err := strconv.Atoi(strings.TrimSuffix(u.seen, "d"))
	switch {
	case u.seen == "":
	case u.seen == "never":
		out.NeverSignedIn = ptr(true)
	case err != nil || days < 1 || !strings.HasSuffix(u.seen, "d"):
		return out, usage("--seen is never, or a number of days such as 90d")
	default:
		out.SignedInBefore = ptr(now.AddDate(0, 0, -days).UTC())
	}
	return out, nil
}

func (a *tool) userList() *cobra.Command {
	var by userFilter
	list := &cobra.Command{
		Use: "list", Short: "List users and their roles", Args: exactly(),
		Example: "  gatehouse user list --mfa no --role administrator\n  gatehouse user list --seen 90d --source scim:Okta",
	}
	by.flags(list.Flags())
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		f, err := by.filter(a.o.Now())
		if err != nil {
			return err
		}
		p := tenant.ListUsersParams{
			Limit: ptr(200), Q: f.Q, Status: f.Status, Source: f.Source, SecondFactor: f.SecondFactor, NeverSignedIn: f.NeverSignedIn,
			SignedInBefore: f.SignedInBefore, Role: f.Role, Group: f.Group,
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		all, err := pages(func(cursor *string) ([]tenant.User, *string, error) {
			p.Cursor = cursor
			l, err := answer[tenant.UserList](u.tenant.ListUsers(ctx, &p))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("name", "email", "status", "from", "second factor", "roles", "last sign-in")
			for _, x := range all {
				var roles []string
				for _, r := range x.Roles {
					roles = append(roles, r.Name)
				}
				from := string(x.Source.Kind)
				if x.Source.Name != nil {
					from += ":" + *x.Source.Name
				}
				has := "no"
				if x.SecondFactor {
					has = "yes"
				}
				t.Row(x.Name, x.Email, string(x.Status), from, has, strings.Join(roles, ", "), when(value(x.LastSignInAt)))
			}
			t.Write(w, "There are no such users.")
		})
	})
	return list
}

func (a *tool) userInvite() *cobra.Command {
	var roles []string
	var project, name string
	var portal bool
	invite := &cobra.Command{
		Use: "invite EMAIL --role ROLE", Short: "Invite somebody; the link is shown once", Args: exactly("the address"),
		Example: "  gatehouse user invite paul@example.com --role publisher --project default",
	}
	f := invite.Flags()
	f.StringSliceVar(&roles, "role", nil, "a role, such as administrator, publisher, operator, viewer or consumer; may be given again")
	f.StringVar(&project, "project", "", "narrow the roles to a project")
	f.StringVar(&name, "name", "", "the person's name")
	f.BoolVar(&portal, "portal", false, "the link leads to the developer portal in place of the console")
	invite.RunE = a.run(func(ctx context.Context, args []string) error {
		if len(roles) == 0 {
			return usage("name a role with --role")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		in := tenant.InvitationInput{Email: args[0]}
		if name != "" {
			in.Name = &name
		}
		if portal {
			in.To = ptr(tenant.Portal)
		}
		for _, r := range roles {
			role := tenant.InvitedRole{Role: r}
			if project != "" {
				p, err := u.project(ctx, project)
				if err != nil {
					return err
				}
				role.Project = &p.Id
			}
			in.Roles = append(in.Roles, role)
		}
		x, err := answer[tenant.InvitationCreated](u.tenant.CreateInvitation(ctx, &tenant.CreateInvitationParams{}, in))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "Send %s this link; it works once, until %s:\n  %s\n", x.Email, when(x.ExpiresAt), x.Url)
		})
	})
	return invite
}

// userStatus enables or disables users.
func (a *tool) userStatus(use, short, did string, to tenant.Status) *cobra.Command {
	c := &cobra.Command{
		Use: use + " WHO...", Short: short, Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("name the users by name, address or id; see %s --help", c.CommandPath())
			}
			return nil
		},
		Example: "  gatehouse user " + use + " paul@example.com",
	}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		changed := []tenant.User{}
		for _, who := range args {
			id, err := u.principal(ctx, who)
			if err != nil {
				return err
			}
			x, err := answer[tenant.User](u.tenant.UpdateUserWithApplicationMergePatchPlusJSONBody(ctx, value(id), &tenant.UpdateUserParams{IfMatch: anyVersion}, tenant.UserPatch{Status: &to}))
			if err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
			changed = append(changed, x)
		}
		return a.result(changed, func(w io.Writer) {
			for _, x := range changed {
				fmt.Fprintf(w, "%s %s.\n", x.Name, did)
			}
		})
	})
	return c
}
