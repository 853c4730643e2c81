package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// place is where something may be done, as flags name it.
type place struct{ project, api, environment string }

func (p *place) flags(f *pflag.FlagSet) {
	f.StringVar(&p.project, "project", "", "in this project")
	f.StringVar(&p.api, "api", "", "on this API")
	f.StringVar(&p.environment, "env", "", "in this environment")
}

// found is a place by ids.
type found struct{ project, api, environment, slug *string }

func (p *place) find(ctx context.Context, u *suite) (out found, err error) {
	if p.project != "" {
		x, err := u.project(ctx, p.project)
		if err != nil {
			return out, err
		}
		out.project = &x.Id
	}
	if p.api != "" {
		x, err := u.api(ctx, p.api)
		if err != nil {
			return out, err
		}
		out.api, out.project = &x.Id, &x.Project
	}
	if p.environment != "" {
		x, err := u.environment(ctx, p.environment)
		if err != nil {
			return out, err
		}
		out.environment, out.slug = &x.Id, &x.Slug
	}
	return out, nil
}

// principal finds a user, service account or group by id, name or e-mail
// address; "" is the caller.
func (s *suite) principal(ctx context.Context, ref string) (*string, error) {
	if ref == "" || len(ref) == 36 && strings.Count(ref, "-") == 4 {
		if ref == "" {
			return nil, nil //nolint:nilnil // nobody is named
		}
		return &ref, nil
	}
	var names []string
	is := func(id string, called ...string) bool {
		names = append(names, called[0])
		for _, c := range called {
			if strings.EqualFold(c, ref) {
				ref = id
				return true
			}
		}
		return false
	}
	users, err := answer[tenant.UserList](s.tenant.ListUsers(ctx, &tenant.ListUsersParams{Q: &ref, Limit: ptr(50)}))
	if err != nil {
		return nil, err
	}
	for _, x := range users.Items {
		if is(x.Id, x.Name, x.Email) {
			return &ref, nil
		}
	}
	accounts, err := answer[tenant.ServiceAccountList](s.tenant.ListServiceAccounts(ctx, &tenant.ListServiceAccountsParams{Q: &ref, Limit: ptr(50)}))
	if err != nil {
		return nil, err
	}
	for _, x := range accounts.Items {
		if is(x.Id, x.Name) {
			return &ref, nil
		}
	}
	groups, err := answer[tenant.GroupList](s.tenant.ListGroups(ctx, &tenant.ListGroupsParams{Q: &ref, Limit: ptr(50)}))
	if err != nil {
		return nil, err
	}
	for _, x := range groups.Items {
		if is(x.Id, x.Name) {
			return &ref, nil
		}
	}
	return nil, missing("user, service account or group", ref, names)
}

func (a *tool) access() *cobra.Command {
	return group("access", "Who may do what, and why", a.accessCheck(), a.accessWho(), a.accessShow(), a.accessRequest(), a.accessReview())
}

func (a *tool) accessCheck() *cobra.Command {
	var at place
	c := &cobra.Command{
		Use: "check WHO PERMISSION", Short: "Whether somebody may do something, and why", Args: exactly("who", "the permission"),
		Example: "  gatehouse access check lena@example.com deployment:deploy --api orders --env prd",
	}
	at.flags(c.Flags())
	c.RunE = a.run(func(ctx context.Context, args []string) error {
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
		x, err := answer[tenant.AccessCheck](u.tenant.CheckAccess(ctx, tenant.AccessCheckInput{
			Principal: who, Permission: args[1], Project: in.project, Api: in.api, Environment: in.environment, EnvironmentSlug: in.slug,
		}))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintln(w, map[bool]string{true: "Yes.", false: "No."}[x.Allowed])
			reasons(w, x.Because)
		})
	})
	return c
}

func reasons(w io.Writer, because []tenant.AccessReason) {
	for _, r := range because {
		fmt.Fprintf(w, "  %s: %s\n", r.Code, r.Detail)
	}
}

func (a *tool) accessWho() *cobra.Command {
	var at place
	c := &cobra.Command{
		Use: "who PERMISSION", Short: "Who has a permission", Args: exactly("the permission"), Example: "  gatehouse access who api:delete --project payments",
	}
	at.flags(c.Flags())
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		in, err := at.find(ctx, u)
		if err != nil {
			return err
		}
		body := tenant.WhoCanInput{Permission: args[0], Project: in.project, Api: in.api, Environment: in.environment, EnvironmentSlug: in.slug}
		all, err := pages(func(cursor *string) ([]tenant.WhoCanItem, *string, error) {
			l, err := answer[tenant.WhoCan](u.tenant.WhoCan(ctx, &tenant.WhoCanParams{Cursor: cursor, Limit: ptr(200)}, body))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("who", "kind", "because")
			for _, x := range all {
				for i, r := range x.Because {
					name, kind := x.Principal.Name, string(x.Principal.Kind)
					if i > 0 {
						name, kind = "", ""
					}
					t.Row(name, kind, r.Detail)
				}
			}
			t.Write(w, "Nobody has it there.")
		})
	})
	return c
}

func (a *tool) accessShow() *cobra.Command {
	var at place
	var about string
	var allowed, refused bool
	c := &cobra.Command{
		Use: "show [WHO]", Aliases: []string{"explain"}, Short: "What somebody may do and where, and by what; without a name, what you may",
		Example: "  gatehouse access show lena@example.com --about deploy\n  gatehouse access show Staff --project payments --refused",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactly("who")(c, args)
			}
			return nil
		},
	}
	at.flags(c.Flags())
	c.Flags().StringVar(&about, "about", "", "only permissions whose name or title has these words")
	c.Flags().BoolVar(&allowed, "allowed", false, "only what is allowed")
	c.Flags().BoolVar(&refused, "refused", false, "only what is not allowed, although something gives it or denies it")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if allowed && refused {
			return usage("--allowed and --refused leave nothing over: use one of them")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		who, err := u.principal(ctx, strings.Join(args, ""))
		if err != nil {
			return err
		}
		if who == nil {
			me, err := answer[tenant.Me](u.tenant.GetMe(ctx))
			if err != nil {
				return err
			}
			who = &me.User.Id
		}
		in, err := at.find(ctx, u)
		if err != nil {
			return err
		}
		q := tenant.GetEffectiveAccessParams{Limit: ptr(200), Project: in.project, Api: in.api, Environment: in.environment, EnvironmentSlug: in.slug}
		if about != "" {
			q.Q = &about
		}
		if allowed || refused {
			q.Allowed = &allowed
		}
		all, err := pages(func(cursor *string) ([]tenant.EffectivePermission, *string, error) {
			q.Cursor = cursor
			l, err := answer[tenant.EffectiveAccess](u.tenant.GetEffectiveAccess(ctx, *who, &q))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) { effectiveTable(w, all) })
	})
	return c
}

// effectiveTable writes what somebody may do, a line for each reason.
func effectiveTable(w io.Writer, all []tenant.EffectivePermission) {
	t := show.NewTable("permission", "in", "allowed", "because")
	for _, x := range all {
		permission, in, yes := x.Permission, within(x.Project, x.Api, x.Environment), map[bool]string{true: "yes", false: "no"}[x.Allowed]
		for _, r := range x.Because {
			detail := r.Detail
			if r.ExpiresAt != nil && r.Code == tenant.AccessReasonCodeGranted {
				detail += ", until " + when(*r.ExpiresAt)
			}
			t.Row(permission, in, yes, detail)
			permission, in, yes = "", "", ""
		}
		if n := value(x.More); n > 0 {
			t.Row("", "", "", fmt.Sprintf("and %d more reasons", n))
		}
	}
	t.Write(w, "Nothing: what is not listed is not allowed.")
}

// within says where a grant holds.
func within(project, api, environment *string) string {
	var parts []string
	for _, p := range []struct {
		what string
		id   *string
	}{{"project", project}, {"API", api}, {"environment", environment}} {
		if p.id != nil {
			parts = append(parts, p.what+" "+*p.id)
		}
	}
	if len(parts) == 0 {
		return "everywhere"
	}
	return strings.Join(parts, ", ")
}

func (a *tool) accessRequest() *cobra.Command {
	var at place
	var reason string
	var lasting time.Duration
	c := &cobra.Command{
		Use: "request ROLE --reason WHY", Short: "Ask for a role", Args: exactly("the role"),
		Example: "  gatehouse access request publisher --project payments --for 8h --reason \"the release\"",
	}
	at.flags(c.Flags())
	c.Flags().StringVarP(&reason, "reason", "m", "", "what it is needed for")
	c.Flags().DurationVar(&lasting, "for", 0, "for how long; for good by default")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if strings.TrimSpace(reason) == "" {
			return usage("say what it is needed for with --reason")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		in, err := at.find(ctx, u)
		if err != nil {
			return err
		}
		body := tenant.AccessRequestInput{Role: args[0], Reason: reason, Project: in.project, Api: in.api, Environment: in.environment}
		if lasting > 0 {
			body.Minutes = ptr(int64(lasting / time.Minute))
		}
		x, err := answer[tenant.AccessRequest](u.tenant.CreateAccessRequest(ctx, &tenant.CreateAccessRequestParams{}, body))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "You asked for %s; who may give it decides (request %s).\n", x.RoleName, x.Id)
		})
	})
	return c
}
