package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	contractanalysis "github.com/gatehouse/gatehouse/libs/contract/analysis"
	contractgateway "github.com/gatehouse/gatehouse/libs/contract/gateway"
	contractpolicy "github.com/gatehouse/gatehouse/libs/contract/policy"
	contractportal "github.com/gatehouse/gatehouse/libs/contract/portal"
	contracttenant "github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/analysis"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/gateway"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/policy"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/portal"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// tool is what commands share.
type tool struct {
	o       Options
	output  string
	profile string
}

// json says whether programs are to read what is written.
func (a *tool) json() bool { return a.output == "json" }

// run returns what a command does, with the output checked before.
func (a *tool) run(fn func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if a.output != "table" && a.output != "json" {
			return usage("--output is table or json, not %q", a.output)
		}
		return fn(c.Context(), args)
	}
}

// say writes a line about the progress, which is no result.
func (a *tool) say(format string, args ...any) {
	fmt.Fprintf(show.Plain(a.o.Err), format+"\n", args...)
}

// result writes JSON for programs, or what people calls.
func (a *tool) result(v any, people func(w io.Writer)) error {
	if a.json() {
		return show.JSON(a.o.Out, v)
	}
	people(show.Plain(a.o.Out))
	return nil
}

func (a *tool) session() (*session.Session, error) {
	name := a.profile
	if name == "" {
		name = a.o.Environ("GATEHOUSE_PROFILE")
	}
	return session.Open(session.Options{Environ: a.o.Environ, Profile: name, HTTP: a.o.HTTP, Now: a.o.Now})
}

// suite is the APIs of a suite, as who is signed in there.
type suite struct {
	session  *session.Session
	tenant   *tenant.Client
	gateway  *gateway.Client
	policy   *policy.Client
	portal   *portal.Client
	analysis *analysis.Client
}

func (a *tool) suite() (*suite, error) {
	s, err := a.session()
	if err != nil {
		return nil, err
	}
	if s.Profile().URL == "" {
		return nil, session.ErrSignedOut
	}
	at := func(service string) string { return s.Profile().URL + "/api/" + service + "/v1" }
	// As NewClient makes them; with nothing but these it cannot fail.
	u := &suite{session: s}
	u.tenant = &tenant.Client{Server: at(contracttenant.Service) + "/", Client: s}
	u.gateway = &gateway.Client{Server: at(contractgateway.Service) + "/", Client: s}
	u.policy = &policy.Client{Server: at(contractpolicy.Service) + "/", Client: s}
	u.portal = &portal.Client{Server: at(contractportal.Service) + "/", Client: s}
	u.analysis = &analysis.Client{Server: at(contractanalysis.Service) + "/", Client: s}
	return u, nil
}

// answer reads what a generated client returns.
func answer[T any](res *http.Response, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	return v, session.Into(res, &v)
}

// done reads an answer that says nothing.
func done(res *http.Response, err error) error {
	if err != nil {
		return err
	}
	return session.Into(res, nil)
}

// mostPages bounds how much of a list is read.
const mostPages = 50

// pages reads a whole list, a page at a time.
func pages[T any](get func(cursor *string) (items []T, next *string, err error)) ([]T, error) {
	out := []T{}
	var cursor *string
	for range mostPages {
		items, next, err := get(cursor)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
		if next == nil || *next == "" {
			break
		}
		cursor = next
	}
	return out, nil
}

func ptr[T any](v T) *T { return &v }

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// when says a time for people.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// environment finds an environment by id, slug or name; "" is the first.
func (s *suite) environment(ctx context.Context, ref string) (gateway.Environment, error) {
	all, err := answer[gateway.EnvironmentList](s.gateway.ListEnvironments(ctx, &gateway.ListEnvironmentsParams{Limit: ptr(200)}))
	if err != nil {
		return gateway.Environment{}, err
	}
	slices.SortFunc(all.Items, func(x, y gateway.Environment) int { return x.Order - y.Order })
	var names []string
	for _, e := range all.Items {
		if ref == "" || e.Id == ref || strings.EqualFold(e.Slug, ref) || strings.EqualFold(e.Name, ref) {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return gateway.Environment{}, missing("environment", ref, names)
}

// project finds a project by id, slug or name; "" is the one named default, or
// the only one.
func (s *suite) project(ctx context.Context, ref string) (gateway.Project, error) {
	all, err := answer[gateway.ProjectList](s.gateway.ListProjects(ctx, &gateway.ListProjectsParams{Limit: ptr(200)}))
	if err != nil {
		return gateway.Project{}, err
	}
	var names []string
	for _, p := range all.Items {
		if p.Id == ref || p.Slug == ref || strings.EqualFold(p.Name, ref) || ref == "" && (p.Slug == "default" || len(all.Items) == 1) {
			return p, nil
		}
		names = append(names, p.Slug)
	}
	if ref == "" {
		return gateway.Project{}, usage("name a project with --project; there are %s", strings.Join(names, ", "))
	}
	return gateway.Project{}, missing("project", ref, names)
}

// api finds an API by id, slug or name.
func (s *suite) api(ctx context.Context, ref string) (gateway.Api, error) {
	if len(ref) == 36 && strings.Count(ref, "-") == 4 {
		return answer[gateway.Api](s.gateway.GetApi(ctx, ref))
	}
	all, err := s.listAPIs(ctx, "", "")
	if err != nil {
		return gateway.Api{}, err
	}
	var names []string
	var found []gateway.Api
	for _, a := range all {
		if strings.EqualFold(a.Name, ref) {
			found = append(found, a)
		}
		names = append(names, a.Slug)
	}
	if i := slices.IndexFunc(all, func(a gateway.Api) bool { return a.Slug == ref }); i >= 0 {
		found = all[i : i+1]
	}
	switch len(found) {
	case 0:
		return gateway.Api{}, missing("API", ref, names)
	case 1:
		return answer[gateway.Api](s.gateway.GetApi(ctx, found[0].Id))
	}
	return gateway.Api{}, usage("there are %d APIs named %q; name one by its slug", len(found), ref)
}

func (s *suite) listAPIs(ctx context.Context, project, text string) ([]gateway.Api, error) {
	p := gateway.ListApisParams{Limit: ptr(200), Sort: ptr("name")}
	if project != "" {
		p.Project = &project
	}
	if text != "" {
		p.Q = &text
	}
	return pages(func(cursor *string) ([]gateway.Api, *string, error) {
		p.Cursor = cursor
		l, err := answer[gateway.ApiList](s.gateway.ListApis(ctx, &p))
		return l.Items, l.Next, err
	})
}

// plan finds a plan of an API by id, slug or name; "" is the first that takes
// subscriptions.
func (s *suite) plan(ctx context.Context, api, ref string) (policy.Plan, error) {
	all, err := answer[policy.PlanList](s.policy.ListPlans(ctx, api, nil))
	if err != nil {
		return policy.Plan{}, err
	}
	var names []string
	for _, p := range all.Items {
		if p.Id == ref || p.Slug == ref || strings.EqualFold(p.Name, ref) || ref == "" && p.Status == policy.Published {
			return p, nil
		}
		names = append(names, p.Slug)
	}
	if ref == "" {
		return policy.Plan{}, problem.New(problem.CodeNotFound, "the API has no published plan; make one with gatehouse plan create")
	}
	return policy.Plan{}, missing("plan", ref, names)
}

// application finds an own application by id or name.
func (s *suite) application(ctx context.Context, ref string) (portal.Application, error) {
	all, err := s.applications(ctx)
	if err != nil {
		return portal.Application{}, err
	}
	var names []string
	for _, a := range all {
		if a.Id == ref || strings.EqualFold(a.Name, ref) {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return portal.Application{}, missing("application", ref, names)
}

func (s *suite) applications(ctx context.Context) ([]portal.Application, error) {
	p := portal.ListApplicationsParams{Limit: ptr[portal.Limit](200)}
	return pages(func(cursor *string) ([]portal.Application, *string, error) {
		p.Cursor = cursor
		l, err := answer[portal.ApplicationList](s.portal.ListApplications(ctx, &p))
		return l.Items, l.Next, err
	})
}

// missing says that there is no such thing, and what there is.
func missing(what, ref string, names []string) error {
	if len(names) == 0 {
		return problem.New(problem.CodeNotFound, "there is no %s %q; there is none at all yet", what, ref)
	}
	const most = 12
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return problem.New(problem.CodeNotFound, "there is no %s %q; there are %s%s", what, ref, strings.Join(names, ", "), more)
}
