package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/portal"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) applications() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List your applications", Args: exactly()}
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		all, err := u.applications(ctx)
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("application", "id", "keys", "made", "description")
			for _, x := range all {
				t.Row(x.Name, x.Id, strconv.Itoa(x.Credentials), when(x.CreatedAt), x.Description)
			}
			t.Write(w, "You have no applications. gatehouse app create makes one.")
		})
	})
	var description string
	create := &cobra.Command{Use: "create NAME", Short: "Make an application", Args: exactly("the name")}
	create.Flags().StringVar(&description, "description", "", "what it is")
	create.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		in := portal.NewApplication{Name: args[0]}
		if description != "" {
			in.Description = &description
		}
		x, err := answer[portal.Application](u.portal.CreateApplication(ctx, &portal.CreateApplicationParams{}, in))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "The application %s is made (%s).\n", x.Name, x.Id) })
	})
	return group("app", "Applications of yours", list, create)
}

func (a *tool) subscribe() *cobra.Command {
	var application, message string
	c := &cobra.Command{
		Use: "subscribe API [PLAN]", Short: "Subscribe an application of yours to a plan", Example: "  gatehouse subscribe petstore gold --app \"My app\"",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return exactly("the API")(c, args)
		},
	}
	c.Flags().StringVar(&application, "app", "", "the application, by name or id; a new one of that name where there is none")
	c.Flags().StringVarP(&message, "message", "m", "", "for who decides")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if application == "" {
			return usage("name the application with --app")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		ref := ""
		if len(args) == 2 {
			ref = args[1]
		}
		p, err := u.plan(ctx, x.Id, ref)
		if err != nil {
			return err
		}
		in := portal.NewSubscription{Plan: p.Id, CreateKey: ptr(p.Security.Type == "api-key")}
		if message != "" {
			in.Message = &message
		}
		if err := u.name(ctx, &in, application); err != nil {
			return err
		}
		made, err := answer[portal.SubscriptionCreated](u.portal.CreateSubscription(ctx, &portal.CreateSubscriptionParams{}, in))
		if err != nil {
			return err
		}
		return a.result(made, func(w io.Writer) {
			fmt.Fprintf(w, "%s is subscribed to %s of %s: %s.\n", made.Application.Name, p.Name, x.Name, made.Subscription.Status)
			if made.Credential != nil && made.Credential.Key != nil {
				fmt.Fprintf(w, "Its key, shown once: %s\n", *made.Credential.Key)
			}
		})
	})
	return c
}

// name names the application of a subscription: one that there is, or a new one.
func (s *suite) name(ctx context.Context, in *portal.NewSubscription, ref string) error {
	all, err := s.applications(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Id == ref || x.Name == ref {
			in.Application = &x.Id
			return nil
		}
	}
	in.NewApplication = &portal.NewApplication{Name: ref}
	return nil
}

func (a *tool) keys() *cobra.Command {
	list := &cobra.Command{Use: "list APP", Short: "List the keys of an application", Args: exactly("the application")}
	list.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.application(ctx, args[0])
		if err != nil {
			return err
		}
		l, err := answer[portal.CredentialList](u.portal.ListCredentials(ctx, x.Id, &portal.ListCredentialsParams{Limit: ptr[portal.Limit](200)}))
		if err != nil {
			return err
		}
		return a.result(l.Items, func(w io.Writer) {
			t := show.NewTable("key", "id", "name", "status", "made", "expires")
			for _, k := range l.Items {
				t.Row(k.Hint, k.Id, k.Name, string(k.Status), when(k.CreatedAt), when(value(k.ExpiresAt)))
			}
			t.Write(w, "The application has no keys. gatehouse key create makes one.")
		})
	})
	var name string
	var expires time.Duration
	create := &cobra.Command{Use: "create APP", Short: "Make a key; it is shown once", Args: exactly("the application")}
	create.Flags().StringVar(&name, "name", "key", "to tell it apart")
	create.Flags().DurationVar(&expires, "expires", 0, "after how long it ends, such as 720h; never when not given")
	create.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.application(ctx, args[0])
		if err != nil {
			return err
		}
		in := portal.NewCredential{Name: name}
		if expires > 0 {
			in.ExpiresAt = ptr(a.o.Now().Add(expires).UTC())
		}
		k, err := answer[portal.Credential](u.portal.CreateCredential(ctx, x.Id, &portal.CreateCredentialParams{}, in))
		if err != nil {
			return err
		}
		return a.result(k, func(w io.Writer) {
			fmt.Fprintf(w, "A key of %s, shown once: %s\n", x.Name, value(k.Key))
		})
	})
	revoke := &cobra.Command{Use: "revoke KEY-ID", Short: "Revoke a key; it works nowhere within two seconds", Args: exactly("the id of the key")}
	revoke.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		if err := done(u.portal.RevokeCredential(ctx, args[0], &portal.RevokeCredentialParams{IfMatch: ptr("*")})); err != nil {
			return err
		}
		return a.result(map[string]any{"revoked": args[0]}, func(w io.Writer) { fmt.Fprintln(w, "The key is revoked.") })
	})
	return group("key", "API keys of applications", list, create, revoke)
}
