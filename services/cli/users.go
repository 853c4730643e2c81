package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) users() *cobra.Command {
	return group("user", "Users of the organization",
		a.userList(), a.userInvite(), a.userImport(),
		a.userStatus("disable", "Disable users; they are signed out everywhere", "is disabled", tenant.StatusDisabled),
		a.userStatus("enable", "Enable users who are disabled", "is enabled", tenant.StatusActive))
}

func (a *tool) userList() *cobra.Command {
	var text, status, source, factor, seen, role, in string
	list := &cobra.Command{
		Use: "list", Short: "List users and their roles", Args: exactly(),
		Example: "  gatehouse user list --mfa no --role administrator\n  gatehouse user list --seen 90d --source scim:Okta",
	}
	f := list.Flags()
	f.StringVar(&text, "search", "", "a part of the name or of the e-mail address")
	f.StringVar(&status, "status", "", "active or disabled")
	f.StringVar(&source, "source", "", "where they come from: local, sso, scim, or one of them by name, such as scim:Okta")
	f.StringVar(&factor, "mfa", "", "yes or no: whether they have a second factor")
	f.StringVar(&seen, "seen", "", "never, or 90d for those who last signed in more than 90 days ago")
	f.StringVar(&role, "role", "", "a role that they have somewhere, by themselves or by a group")
	f.StringVar(&in, "group", "", "a group that they are in")
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		p := tenant.ListUsersParams{Limit: ptr(200)}
		for flag, into := range map[*string]**string{&text: &p.Q, &source: &p.Source, &role: &p.Role, &in: &p.Group} {
			if *flag != "" {
				*into = flag
			}
		}
		if status != "" {
			p.Status = ptr(tenant.Status(status))
		}
		switch factor {
		case "":
		case "yes", "no":
			p.SecondFactor = ptr(factor == "yes")
		default:
			return usage("--mfa is yes or no")
		}
		days, err := strconv.Atoi(strings.TrimSuffix(seen, "d"))
		switch {
		case seen == "":
		case seen == "never":
			p.NeverSignedIn = ptr(true)
		case err != nil || days < 1 || !strings.HasSuffix(seen, "d"):
			return usage("--seen is never, or a number of days such as 90d")
		default:
			p.SignedInBefore = ptr(a.o.Now().AddDate(0, 0, -days).UTC())
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

// longestSheet bounds a list of people, in bytes.
const longestSheet = 2 << 20

// invitedAtOnce is how many are invited in one request.
const invitedAtOnce = 50

func (a *tool) userImport() *cobra.Command {
	var (
		roles  []string
		dry    bool
		portal bool
	)
	c := &cobra.Command{
		Use: "import FILE", Short: "Invite the people of a CSV file", Args: exactly("the file"),
		Long: "Invite the people of a CSV file; - is the standard input.\n\n" +
			"The first line names the columns: email, and name, roles and groups where there are any. Several roles or\n" +
			"groups are separated by |. Nothing is done where a line is not right; --dry-run shows what would be done.",
		Example: "  gatehouse user import people.csv --dry-run\n  gatehouse user import people.csv --role viewer",
	}
	f := c.Flags()
	f.StringSliceVar(&roles, "role", nil, "a role of those whose line names neither roles nor groups; may be given again")
	f.BoolVar(&dry, "dry-run", false, "show what each line would do, and do nothing")
	f.BoolVar(&portal, "portal", false, "the links lead to the developer portal")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		text, err := a.sheet(args[0])
		if err != nil {
			return err
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		in := tenant.InvitationSheet{Csv: text}
		if len(roles) > 0 {
			given := make([]tenant.InvitedRole, len(roles))
			for i, r := range roles {
				given[i] = tenant.InvitedRole{Role: r}
			}
			in.Roles = &given
		}
		preview, err := answer[tenant.InvitationPreview](u.tenant.PreviewInvitations(ctx, in))
		if err != nil {
			return err
		}
		var items []tenant.InvitationItem
		wrong := 0
		for _, l := range preview.Lines {
			switch l.Outcome {
			case tenant.InvitationLineOutcomeInvite:
				items = append(items, itemOf(l))
			case tenant.InvitationLineOutcomeInvalid, tenant.InvitationLineOutcomeDuplicate:
				wrong++
			}
		}
		if dry || wrong > 0 {
			if err := a.result(preview, func(w io.Writer) { showLines(w, preview) }); err != nil || dry {
				return err
			}
			return fmt.Errorf("%d lines are not right, and nobody was invited", wrong)
		}
		results := []tenant.InvitationResult{}
		for len(items) > 0 {
			n := min(invitedAtOnce, len(items))
			batch := tenant.InvitationBatch{Items: items[:n]}
			if portal {
				batch.To = ptr(tenant.Portal)
			}
			got, err := answer[tenant.InvitationResults](u.tenant.CreateInvitations(ctx, batch))
			results = append(results, got.Items...)
			if err != nil {
				return errors.Join(a.result(results, func(w io.Writer) { showInvited(w, results) }), err)
			}
			items = items[n:]
		}
		return a.result(results, func(w io.Writer) { showInvited(w, results) })
	})
	return c
}

// sheet reads a list of people.
func (a *tool) sheet(name string) (string, error) {
	in := a.o.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("reading the list: %w", err)
		}
		defer func() { _ = f.Close() }() // it was read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, longestSheet+1))
	if err != nil {
		return "", fmt.Errorf("reading the list: %w", err)
	}
	if len(b) > longestSheet {
		return "", errors.New("the list is larger than 2 MiB: cut it in parts")
	}
	return string(b), nil
}

func itemOf(l tenant.InvitationLine) tenant.InvitationItem {
	roles, groups := []tenant.InvitedRole{}, []string{}
	for _, r := range l.Roles {
		roles = append(roles, tenant.InvitedRole{Role: r.Role, Project: r.Project})
	}
	for _, g := range l.Groups {
		groups = append(groups, g.Id)
	}
	return tenant.InvitationItem{Email: l.Email, Name: l.Name, Roles: &roles, Groups: &groups}
}

func showLines(w io.Writer, preview tenant.InvitationPreview) {
	t := show.NewTable("line", "email", "roles and groups", "would be", "why")
	for _, l := range preview.Lines {
		var gives, why []string
		for _, r := range l.Roles {
			gives = append(gives, r.Name)
		}
		for _, g := range l.Groups {
			gives = append(gives, g.Name)
		}
		for _, e := range l.Errors {
			said := e.Detail
			if e.Field != nil {
				said = string(*e.Field) + ": " + said
			}
			why = append(why, said)
		}
		t.Row(strconv.Itoa(l.Line), l.Email, strings.Join(gives, ", "), string(l.Outcome), strings.Join(why, "; "))
	}
	t.Write(w, "The list is empty.")
	if len(preview.Unused) > 0 {
		fmt.Fprintf(w, "These columns are not read: %s\n", strings.Join(preview.Unused, ", "))
	}
}

func showInvited(w io.Writer, results []tenant.InvitationResult) {
	t := show.NewTable("email", "outcome", "link")
	for _, r := range results {
		link := value(r.Url)
		if link == "" && value(r.Mailed) {
			link = "goes out by mail"
		}
		if link == "" {
			link = value(r.Detail)
		}
		t.Row(r.Email, string(r.Outcome), link)
	}
	t.Write(w, "Everybody of the list is here or invited already.")
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
