package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// organization finds an organization of the installation by its short name.
func (s *suite) organization(ctx context.Context, slug string) (tenant.PlatformOrganization, error) {
	found, err := answer[tenant.PlatformOrganizationList](s.tenant.ListOrganizations(ctx, &tenant.ListOrganizationsParams{Q: &slug, Limit: ptr(200)}))
	if err != nil {
		return tenant.PlatformOrganization{}, err
	}
	names := make([]string, len(found.Items))
	for i, o := range found.Items {
		if names[i] = o.Slug; o.Slug == slug {
			return o, nil
		}
	}
	return tenant.PlatformOrganization{}, missing("organization", slug, names)
}

func organizationStatus(o tenant.PlatformOrganization) string {
	switch {
	case o.DeletedAt != nil:
		return "deleted"
	case o.Suspended:
		return "suspended"
	}
	return "active"
}

// ofOrganization is a command about the organization of a short name.
func (a *tool) ofOrganization(use, short string, do func(ctx context.Context, u *suite, o tenant.PlatformOrganization) error) *cobra.Command {
	c := &cobra.Command{Use: use + " SLUG", Short: short, Args: exactly("the short name")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		o, err := u.organization(ctx, args[0])
		if err != nil {
			return err
		}
		return do(ctx, u, o)
	})
	return c
}

func (a *tool) organizations() *cobra.Command {
	var search string
	var deleted bool
	list := &cobra.Command{Use: "list", Short: "List the organizations of the installation", Args: exactly()}
	list.Flags().StringVarP(&search, "search", "q", "", "a text in the name or short name")
	list.Flags().BoolVar(&deleted, "deleted", false, "only those that are deleted, and can be restored")
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		p := tenant.ListOrganizationsParams{Limit: ptr(200)}
		if search != "" {
			p.Q = &search
		}
		if deleted {
			p.Deleted = &deleted
		}
		all, err := pages(func(cursor *string) ([]tenant.PlatformOrganization, *string, error) {
			p.Cursor = cursor
			l, err := answer[tenant.PlatformOrganizationList](u.tenant.ListOrganizations(ctx, &p))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("organization", "name", "status", "users", "id")
			for _, x := range all {
				t.Row(x.Slug, x.Name, organizationStatus(x), strconv.FormatInt(x.Users, 10), x.Id)
			}
			t.Write(w, "There are no organizations.")
		})
	})
	var name, owner string
	create := &cobra.Command{
		Use: "create SLUG --owner EMAIL", Short: "Make an organization; the link for its owner is shown once", Args: exactly("the short name"),
		Example: "  gatehouse organization create acme --name \"Acme Inc\" --owner ada@acme.example",
	}
	create.Flags().StringVar(&name, "name", "", "its name; the short name by default")
	create.Flags().StringVar(&owner, "owner", "", "the e-mail address of its owner")
	create.RunE = a.run(func(ctx context.Context, args []string) error {
		if owner == "" {
			return usage("name the owner's e-mail address with --owner")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		if name == "" {
			name = args[0]
		}
		x, err := answer[tenant.PlatformOrganizationCreated](u.tenant.CreateOrganization(ctx, &tenant.CreateOrganizationParams{}, tenant.PlatformOrganizationInput{Slug: args[0], Name: name, OwnerEmail: owner}))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "Send %s this link; it works once, until %s:\n  %s\n", owner, when(x.ExpiresAt), x.Url)
		})
	})
	turn := func(use, short string, suspended bool) *cobra.Command {
		return a.ofOrganization(use, short, func(ctx context.Context, u *suite, o tenant.PlatformOrganization) error {
			x, err := answer[tenant.PlatformOrganization](u.tenant.UpdatePlatformOrganization(ctx, o.Id, &tenant.UpdatePlatformOrganizationParams{IfMatch: anyVersion}, tenant.PlatformOrganizationPatch{Suspended: &suspended}))
			if err != nil {
				return err
			}
			return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "%s is %s.\n", x.Name, organizationStatus(x)) })
		})
	}
	c := group("organization", "Organizations of the installation, for its administrators", list, create,
		turn("suspend", "Keep the people of an organization out", true), turn("resume", "Let them in again", false),
		a.showOrganization(), a.limitOrganization(), a.deleteOrganization(), a.restoreOrganization(), a.exportOrganization())
	c.Aliases = []string{"org"}
	return c
}

func (a *tool) showOrganization() *cobra.Command {
	c := a.ofOrganization("show", "Show an organization: how much it has, and how much it may have", func(ctx context.Context, u *suite, o tenant.PlatformOrganization) error {
		usage, err := answer[tenant.OrganizationUsage](u.tenant.GetPlatformOrganizationUsage(ctx, o.Id))
		if err != nil {
			return err
		}
		shown := struct {
			tenant.PlatformOrganization
			Usage tenant.OrganizationUsage `json:"usage"`
		}{o, usage}
		return a.result(shown, func(w io.Writer) {
			fmt.Fprintf(w, "%s (%s) is %s.\n", o.Name, o.Slug, organizationStatus(o))
			if o.PurgeAt != nil {
				fmt.Fprintf(w, "It can be restored until %s. Then everything that it has goes for good.\n", when(*o.PurgeAt))
			}
			t := show.NewTable("what", "there are", "there may be")
			for _, i := range usage.Items {
				used, limit := "not known now", "any number"
				if i.Used != nil {
					used = number(*i.Used)
				}
				if i.Limit != nil {
					limit = number(*i.Limit)
				}
				t.Row(string(i.Resource), used, limit)
			}
			t.Write(w, "")
		})
	})
	c.Example = "  gatehouse org show acme"
	return c
}

// limits are the resources that can be limited, by the names that flags have.
var limits = []struct{ flag, resource string }{
	{"users", "users"},
	{"service-accounts", "serviceAccounts"},
	{"projects", "projects"},
	{"apis", "apis"},
	{"environments", "environments"},
	{"gateway-groups", "gatewayGroups"},
	{"applications", "applications"},
	{"policy-sets", "policySets"},
}

func (a *tool) limitOrganization() *cobra.Command {
	values := make([]string, len(limits))
	c := a.ofOrganization("quota", "Limit how much an organization may have; \"none\" takes a limit away", func(ctx context.Context, u *suite, o tenant.PlatformOrganization) error {
		var parts []string
		for i, l := range limits {
			switch v := values[i]; v {
			case "":
			case "none":
				parts = append(parts, strconv.Quote(l.resource)+":null")
			default:
				n, err := strconv.ParseUint(v, 10, 32)
				if err != nil {
					return usage("--%s is a number, or none: %q is neither", l.flag, v)
				}
				parts = append(parts, strconv.Quote(l.resource)+":"+strconv.FormatUint(n, 10))
			}
		}
		if len(parts) == 0 {
			return usage("say what is limited, such as --apis 20")
		}
		body := strings.NewReader(`{"quotas":{` + strings.Join(parts, ",") + `}}`) // null is said, and not left out
		x, err := answer[tenant.PlatformOrganization](u.tenant.UpdatePlatformOrganizationWithBody(ctx, o.Id, &tenant.UpdatePlatformOrganizationParams{IfMatch: anyVersion}, "application/merge-patch+json", body))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "The limits of %s are set.\n", x.Name) })
	})
	c.Example = "  gatehouse org quota acme --apis 20 --users none"
	for i, l := range limits {
		c.Flags().StringVar(&values[i], l.flag, "", "the most "+strings.ReplaceAll(strings.ReplaceAll(l.flag, "-", " "), "apis", "APIs")+", or none")
	}
	return c
}

func (a *tool) deleteOrganization() *cobra.Command {
	var confirm string
	c := a.ofOrganization("delete", "Delete an organization, which can be restored for seven days", func(ctx context.Context, u *suite, o tenant.PlatformOrganization) error {
		if confirm != o.Slug {
			n, err := answer[tenant.OrganizationUsage](u.tenant.GetPlatformOrganizationUsage(ctx, o.Id))
			if err != nil {
				return err
			}
			said := func(p *int64) string {
				if p == nil {
					return "all"
				}
				return number(*p)
			}
			return usage("%s users of %s would be signed out, %s APIs would stop being served, %s applications would lose access: confirm with --confirm %s",
				number(o.Users), o.Name, said(n.ServedApis), said(n.ActiveApplications), o.Slug)
		}
		x, err := answer[tenant.PlatformOrganization](u.tenant.DeleteOrganization(ctx, o.Id, &tenant.DeleteOrganizationParams{IfMatch: anyVersion, Slug: o.Slug}))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "%s is deleted. It can be restored until %s.\n", x.Name, when(*x.PurgeAt))
		})
	})
	c.Example = "  gatehouse org delete acme --confirm acme"
	c.Flags().StringVar(&confirm, "confirm", "", "the short name once more; without it you are told what would follow")
	return c
}

func (a *tool) restoreOrganization() *cobra.Command {
	return a.ofOrganization("restore", "Take a deleted organization back", func(ctx context.Context, u *suite, o tenant.PlatformOrganization) error {
		x, err := answer[tenant.PlatformOrganization](u.tenant.RestoreOrganization(ctx, o.Id, &tenant.RestoreOrganizationParams{IfMatch: anyVersion}))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "%s is restored, and %s.\n", x.Name, organizationStatus(x)) })
	})
}

func (a *tool) exportOrganization() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "export [SLUG] --file FILE", Short: "Write everything that an organization has to a ZIP archive; your own by default", Example: "  gatehouse org export acme --file acme.zip",
		Args: atMost(1),
	}
	c.Flags().StringVar(&out, "file", "", "a file that is not there yet")
	c.RunE = a.run(func(ctx context.Context, args []string) (err error) {
		if out == "" {
			return usage("name the file with --file")
		}
		// Before anything is asked: all services gather for it.
		if _, err := os.Lstat(out); err == nil {
			return fmt.Errorf("writing the export: %s is there already, name a file that is not", out) //nolint:err113 // shown as it is
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		var res *http.Response
		if len(args) == 0 {
			res, err = u.tenant.ExportOrganization(ctx)
		} else {
			var o tenant.PlatformOrganization
			if o, err = u.organization(ctx, args[0]); err != nil {
				return err
			}
			res, err = u.tenant.ExportPlatformOrganization(ctx, o.Id)
		}
		if err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return session.Into(res, nil)
		}
		defer func() { _ = res.Body.Close() }() // it was read
		n, err := keep(out, res.Body)
		if err != nil {
			return err
		}
		return a.result(map[string]any{"file": out, "bytes": n}, func(w io.Writer) { fmt.Fprintf(w, "%d bytes are in %s.\n", n, out) })
	})
	return c
}

// keep writes a new file that only its owner reads; one that is not whole goes.
func keep(name string, from io.Reader) (n int64, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("writing the export: %w", err)
	}
	n, err = io.Copy(f, from)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(name) // the error says it
		return n, fmt.Errorf("writing the export: %w", err)
	}
	return n, nil
}
