package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/gateway"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) apis() *cobra.Command {
	return group("api", "Import, deploy and look at APIs",
		a.importAPI(), a.listAPIs(), a.showAPI(), a.deployAPI(), a.rollBackAPI(), a.undeployAPI(), a.publishAPI(), a.revisions(), a.diff())
}

// maxDocument is the most that an OpenAPI document may have, in bytes.
const maxDocument = 20 << 20

// document reads an OpenAPI document from a file, an address, or - for standard
// input.
func (a *tool) document(ctx context.Context, from string) (string, error) {
	var r io.ReadCloser
	switch {
	case from == "-":
		r = io.NopCloser(a.o.In)
	case strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://"):
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
		if err != nil {
			return "", usage("%q is no address: %v", from, err)
		}
		res, err := a.o.HTTP.Do(req)
		if err != nil {
			return "", fmt.Errorf("fetching the document: %w", err)
		}
		if res.StatusCode != http.StatusOK {
			_ = res.Body.Close()
			return "", problem.New(problem.CodeInvalidInput, "%s answered %s in place of an OpenAPI document", from, res.Status)
		}
		r = res.Body
	default:
		f, err := os.Open(from)
		if err != nil {
			return "", fmt.Errorf("reading the document: %w", err)
		}
		r = f
	}
	defer func() { _ = r.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return "", fmt.Errorf("reading the document: %w", err)
	}
	if len(b) > maxDocument {
		return "", problem.New(problem.CodeInvalidInput, "%s is larger than 20 MiB", from)
	}
	return string(b), nil
}

// importFlags are what an import may be told.
type importFlags struct {
	project, name, slug, basePath, upstream string
}

func (f *importFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.project, "project", "", "the project; the one named default when not given")
	c.Flags().StringVar(&f.name, "name", "", "the API's name; the document's title when not given")
	c.Flags().StringVar(&f.slug, "slug", "", "the API's short name; made of the name when not given")
	c.Flags().StringVar(&f.basePath, "base-path", "", "where the API begins, such as /orders")
	c.Flags().StringVar(&f.upstream, "upstream", "", "where requests are sent, such as http://orders:8080; the document's server when not given")
}

// input returns the request of an import.
func (f *importFlags) input(project, document string) (gateway.ApiImport, error) {
	in := gateway.ApiImport{Project: project, Document: &document}
	for _, x := range []struct {
		text string
		into **string
	}{{f.name, &in.Name}, {f.slug, &in.Slug}, {f.basePath, &in.BasePath}} {
		if x.text != "" {
			*x.into = &x.text
		}
	}
	if f.upstream != "" {
		u, err := url.Parse(f.upstream)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return in, usage("--upstream is an address such as http://orders:8080, not %q", f.upstream)
		}
		in.Upstream = &unit.Upstream{Targets: []unit.Target{{URL: f.upstream}}}
	}
	return in, nil
}

func (a *tool) importAPI() *cobra.Command {
	var f importFlags
	var dry bool
	c := &cobra.Command{
		Use: "import FILE|URL|-", Short: "Make an API of an OpenAPI document (3.0, 3.1 or Swagger 2)", Args: exactly("the document"),
		Example: "  gatehouse api import petstore.yaml --upstream http://petstore:8080",
	}
	f.add(c)
	c.Flags().BoolVar(&dry, "dry-run", false, "make nothing, only say what would be made")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		text, err := a.document(ctx, args[0])
		if err != nil {
			return err
		}
		project, err := u.project(ctx, f.project)
		if err != nil {
			return err
		}
		in, err := f.input(project.Id, text)
		if err != nil {
			return err
		}
		in.DryRun = &dry
		got, err := answer[gateway.ApiImported](u.gateway.ImportApi(ctx, &gateway.ImportApiParams{}, in))
		if err != nil {
			return err
		}
		return a.result(got, func(w io.Writer) {
			verb := "Imported"
			if dry {
				verb = "Would import"
			}
			fmt.Fprintf(w, "%s %s %s (%s) at %s with %d operations.\n", verb, got.Api.Name, got.Api.ApiVersion, got.Api.Slug, got.Api.BasePath, got.Operations)
			for _, x := range got.Warnings {
				fmt.Fprintf(w, "  note: %s\n", joined(": ", value(x.Pointer), x.Detail))
			}
		})
	})
	return c
}

// joined puts what is not empty together.
func joined(between string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, between)
}

func (a *tool) listAPIs() *cobra.Command {
	var project, text string
	c := &cobra.Command{Use: "list", Short: "List APIs", Args: exactly()}
	c.Flags().StringVar(&project, "project", "", "only those of a project")
	c.Flags().StringVarP(&text, "search", "q", "", "only those with a text in their names")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		id := ""
		if project != "" {
			p, err := u.project(ctx, project)
			if err != nil {
				return err
			}
			id = p.Id
		}
		all, err := u.listAPIs(ctx, id, text)
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("api", "name", "version", "path", "operations", "deployed", "portal")
			for _, x := range all {
				t.Row(x.Slug, x.Name, x.ApiVersion, x.BasePath, strconv.Itoa(x.OperationCount), deployed(x), portalState(x))
			}
			t.Write(w, "There are no APIs. gatehouse api import makes one.")
		})
	})
	return c
}

// deployed says what is deployed where.
func deployed(x gateway.Api) string {
	var out []string
	for _, d := range x.Deployments {
		state := ""
		if d.State != gateway.Live {
			state = " " + string(d.State)
		}
		out = append(out, fmt.Sprintf("%s r%d%s", d.EnvironmentName, d.Revision, state))
	}
	return strings.Join(out, ", ")
}

func portalState(x gateway.Api) string {
	switch {
	case x.Deprecated:
		return "deprecated"
	case x.Published:
		return "published"
	}
	return ""
}

func (a *tool) showAPI() *cobra.Command {
	c := &cobra.Command{Use: "show API", Short: "Show an API, by slug, name or id", Args: exactly("the API")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			draft := "as revision " + strconv.FormatInt(x.LatestRevision, 10)
			if x.Draft.Changed {
				draft = "changed"
				if n := value(x.Draft.Changes); n > 0 {
					draft = fmt.Sprintf("changed since revision %d, in %d places", value(x.Draft.Since), n)
				}
			}
			var targets []string
			for _, up := range x.Upstreams {
				for _, t := range up.Targets {
					targets = append(targets, t.URL)
				}
			}
			show.Pairs(w, "api", x.Slug, "id", x.Id, "name", x.Name, "version", x.ApiVersion, "path", x.BasePath, "hosts", strings.Join(x.Hosts, ", "),
				"upstreams", strings.Join(targets, ", "), "operations", strconv.Itoa(x.OperationCount), "draft", draft, "portal", portalState(x))
			if len(x.Deployments) > 0 {
				fmt.Fprintln(w)
				t := show.NewTable("environment", "revision", "state", "since", "addresses")
				for _, d := range x.Deployments {
					t.Row(d.EnvironmentName, strconv.FormatInt(d.Revision, 10), string(d.State), when(d.CreatedAt), strings.Join(d.Urls, ", "))
				}
				t.Write(w, "")
			}
		})
	})
	return c
}

func (a *tool) publishAPI() *cobra.Command {
	var hide bool
	c := &cobra.Command{Use: "publish API", Short: "Show an API in the developer portal, or hide it with --undo", Args: exactly("the API")}
	c.Flags().BoolVar(&hide, "undo", false, "take it out of the portal")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		verb := "in"
		if hide {
			verb = "not in"
			x, err = answer[gateway.Api](u.gateway.UnpublishApi(ctx, x.Id, nil))
		} else {
			x, err = answer[gateway.Api](u.gateway.PublishApi(ctx, x.Id, nil))
		}
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) { fmt.Fprintf(w, "%s is %s the developer portal.\n", x.Name, verb) })
	})
	return c
}

func (a *tool) revisions() *cobra.Command {
	c := &cobra.Command{Use: "revisions API", Short: "List the revisions of an API", Args: exactly("the API")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		p := gateway.ListRevisionsParams{Limit: ptr(200)}
		all, err := pages(func(cursor *string) ([]gateway.Revision, *string, error) {
			p.Cursor = cursor
			l, err := answer[gateway.RevisionList](u.gateway.ListRevisions(ctx, x.Id, &p))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, d := range x.Deployments {
			names[d.Environment] = d.EnvironmentName
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("revision", "made", "version", "operations", "policies", "plans", "deployed", "message")
			for _, r := range all {
				var plans, at []string
				for _, p := range r.Plans {
					plans = append(plans, p.Name)
				}
				for _, e := range r.Environments {
					at = append(at, names[e])
				}
				t.Row(strconv.FormatInt(r.Number, 10), when(r.CreatedAt), r.ApiVersion, strconv.Itoa(r.OperationCount), strconv.Itoa(r.PolicyCount),
					strings.Join(plans, ", "), strings.Join(at, ", "), r.Message)
			}
			t.Write(w, "There are no revisions. gatehouse api deploy makes one of the draft.")
		})
	})
	return c
}

func (a *tool) diff() *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use: "diff API", Short: "Say what is different between two states of an API", Args: exactly("the API"),
		Long: "Say what is different between two states of an API: the number of a revision, draft, latest, or deployed:ENVIRONMENT.",
	}
	c.Flags().StringVar(&from, "from", "latest", "the one before")
	c.Flags().StringVar(&to, "to", "draft", "the one after")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		d, err := answer[gateway.Diff](u.gateway.DiffApi(ctx, x.Id, &gateway.DiffApiParams{From: &from, To: &to}))
		if err != nil {
			return err
		}
		return a.result(d, func(w io.Writer) {
			if len(d.Changes) == 0 {
				fmt.Fprintf(w, "%s and %s are the same.\n", d.From, d.To)
				return
			}
			fmt.Fprintf(w, "From %s to %s:\n", d.From, d.To)
			for _, c := range d.Changes {
				mark := map[gateway.ChangeKind]string{gateway.Added: "+", gateway.Removed: "-"}[c.Kind]
				if mark == "" {
					mark = "~"
				}
				breaking := ""
				if c.Breaking {
					breaking = " (may break callers)"
				}
				fmt.Fprintf(w, "  %s %s%s\n", mark, c.Summary, breaking)
			}
		})
	})
	return c
}
