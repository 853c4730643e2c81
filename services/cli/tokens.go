package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) tokens() *cobra.Command {
	return group("token", "Your personal tokens", a.tokenList(), a.tokenCreate(), a.tokenRevoke())
}

func (a *tool) tokenList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List your tokens", Args: exactly()}
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		l, err := answer[tenant.MyTokenList](u.tenant.ListMyTokens(ctx))
		if err != nil {
			return err
		}
		return a.result(l.Items, func(w io.Writer) {
			t := show.NewTable("token", "id", "hint", "for", "expires", "last used", "from")
			for _, k := range l.Items {
				used := "never"
				if k.LastUsedAt != nil {
					used = k.LastUsedAt.Local().Format(time.DateTime)
				}
				t.Row(k.Name, k.Id, k.Hint, purpose(k), k.ExpiresAt.Local().Format(time.DateOnly), used, value(k.LastUsedFrom))
			}
			t.Write(w, "You have no tokens. gatehouse token create makes one.")
		})
	})
	return c
}

// purpose says in short what a token is made for.
func purpose(k tenant.PersonalToken) string {
	out := "all that you may do"
	if len(k.Permissions) > 0 {
		out = strings.Join(k.Permissions, " ")
	}
	if k.Project != nil {
		out += ", project " + *k.Project
	}
	if k.Environment != nil {
		out += ", environment " + *k.Environment
	}
	return out
}

func (a *tool) tokenCreate() *cobra.Command {
	var (
		days        int
		permissions []string
		at          place
	)
	c := &cobra.Command{
		Use: "create NAME", Short: "Make a token, which is shown once", Args: exactly("the name"),
		Long: "Make a token, which is shown once.\n\n" +
			"It never does more than you may do yourself when it is used. Your password is asked for, or taken from\n" +
			"GATEHOUSE_PASSWORD, where you signed in more than ten minutes ago.",
		Example: "  gatehouse token create laptop --days 30\n  gatehouse token create pipeline --permission api:read --permission deployment:* --project shop",
	}
	f := c.Flags()
	f.IntVar(&days, "days", 30, "how many days it lasts")
	f.StringArrayVar(&permissions, "permission", nil, "what it is for, such as api:read; again for more; none = all that you may do")
	f.StringVar(&at.project, "project", "", "only in this project")
	f.StringVar(&at.environment, "env", "", "only in this environment")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if days < 1 {
			return usage("--days is 1 or more")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		in, err := at.find(ctx, u)
		if err != nil {
			return err
		}
		body := tenant.PersonalTokenInput{Name: args[0], ExpiresAt: a.o.Now().AddDate(0, 0, days).UTC(), Project: in.project, Environment: in.environment}
		if len(permissions) > 0 {
			body.Permissions = &permissions
		}
		create := func() (tenant.PersonalTokenCreated, error) {
			return answer[tenant.PersonalTokenCreated](u.tenant.CreateMyToken(ctx, &tenant.CreateMyTokenParams{}, body))
		}
		k, err := create()
		var p *problem.Problem
		if errors.As(err, &p) && p.Code == problem.CodeConfirmationRequired {
			if err := a.confirm(ctx, u); err != nil {
				return err
			}
			k, err = create()
		}
		if err != nil {
			return err
		}
		return a.result(k, func(w io.Writer) {
			fmt.Fprintf(w, "The token %s lasts until %s. It is shown this once:\n\n%s\n", k.Name, k.ExpiresAt.Local().Format(time.DateTime), k.Token)
		})
	})
	return c
}

// confirm proves again who is signed in.
func (a *tool) confirm(ctx context.Context, u *suite) error {
	password, err := a.password("Your password, to confirm that it is you: ")
	if err != nil {
		return err
	}
	return done(u.tenant.ConfirmMe(ctx, tenant.ConfirmationInput{Password: &password}))
}

func (a *tool) tokenRevoke() *cobra.Command {
	c := &cobra.Command{Use: "revoke TOKEN", Short: "Revoke one of your tokens, by its name or id", Args: exactly("the token")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		l, err := answer[tenant.MyTokenList](u.tenant.ListMyTokens(ctx))
		if err != nil {
			return err
		}
		var found []tenant.PersonalToken
		var names []string
		for _, k := range l.Items {
			names = append(names, k.Name)
			if k.Id == args[0] || k.Name == args[0] {
				found = append(found, k)
			}
		}
		switch {
		case len(found) == 0:
			return missing("token", args[0], names)
		case len(found) > 1:
			return usage("%d tokens are named %s: name one by its id, which gatehouse token list shows", len(found), args[0])
		}
		if err := done(u.tenant.DeleteMyToken(ctx, found[0].Id)); err != nil {
			return err
		}
		return a.result(map[string]string{"id": found[0].Id, "name": found[0].Name}, func(w io.Writer) { fmt.Fprintf(w, "The token %s is revoked.\n", found[0].Name) })
	})
	return c
}
