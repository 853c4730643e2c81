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

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/gateway"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/policy"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/portal"
)

// quickName is the name of the plan and of the application that a quickstart
// makes.
const quickName = "Quickstart"

// patience is how long what happens in the background may take.
const patience = 30 * time.Second

// quickResult is what programs learn of a quickstart.
type quickResult struct {
	// URL, Header and Key are what a call needs; Curl is the call.
	URL    string `json:"url"`
	Header string `json:"header"`
	Key    string `json:"key"`
	Curl   string `json:"curl"`
	// RequestID and Status are those of the first call.
	RequestID string `json:"requestId"`
	Status    int    `json:"status"`
	// The ids of what there is now.
	API         string `json:"api"`
	Plan        string `json:"plan"`
	Application string `json:"application"`
	Environment string `json:"environment"`
	Revision    int64  `json:"revision"`
}

// quick is a quickstart under way.
type quick struct {
	*tool
	*suite
	importFlags
	deployFlags

	api  gateway.Api
	env  gateway.Environment
	plan policy.Plan
	text string // of the document
	out  quickResult
}

func (a *tool) quickstart() *cobra.Command {
	q := &quick{tool: a}
	c := &cobra.Command{
		Use: "quickstart FILE|URL|-", Short: "Put an API online in one step: import, plan, deploy, key, first call", Args: exactly("the OpenAPI document"),
		Long: "Put an API online in one step: import the document, make a plan with API keys and a limit, deploy and wait until\n" +
			"every gateway has it, show it in the portal, subscribe an application, make a key, and call it through the gateway.\n" +
			"Run again it goes on with what is there.",
		Example: "  gatehouse quickstart petstore.yaml --upstream http://petstore:8080",
	}
	q.importFlags.add(c)
	q.deployFlags.add(c)
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		var err error
		if q.suite, err = a.suite(); err != nil {
			return err
		}
		for _, step := range []func(context.Context) error{
			func(ctx context.Context) error { return q.importDocument(ctx, args[0]) },
			q.makePlan, q.goLive, q.publish, q.subscribeQuickly, q.firstCall,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return a.result(q.out, func(w io.Writer) {
			fmt.Fprintf(w, "\n%s is online. Call it with\n\n  %s\n\n", q.api.Name, q.out.Curl)
			fmt.Fprintf(w, "The first call was answered %d; why, says gatehouse explain %s\n", q.out.Status, q.out.RequestID)
		})
	})
	return c
}

// step tells what was done.
func (q *quick) step(what, format string, args ...any) {
	q.say("%-11s  %s", what, fmt.Sprintf(format, args...))
}

// importDocument makes the API, or goes on with the one of the same short name.
func (q *quick) importDocument(ctx context.Context, from string) error {
	text, err := q.document(ctx, from)
	if err != nil {
		return err
	}
	q.text = text
	project, err := q.suite.project(ctx, q.importFlags.project)
	if err != nil {
		return err
	}
	in, err := q.input(project.Id, text)
	if err != nil {
		return err
	}
	in.DryRun = ptr(true)
	would, err := answer[gateway.ApiImported](q.gateway.ImportApi(ctx, &gateway.ImportApiParams{}, in))
	if err != nil {
		return err
	}
	there, err := q.suite.listAPIs(ctx, project.Id, "")
	if err != nil {
		return err
	}
	slug := q.slug
	if slug == "" {
		slug = slugOf(would.Api.Name)
	}
	if i := slices.IndexFunc(there, func(x gateway.Api) bool {
		return x.Slug == slug || q.slug == "" && strings.EqualFold(x.Name, would.Api.Name)
	}); i >= 0 {
		if q.api, err = answer[gateway.Api](q.gateway.GetApi(ctx, there[i].Id)); err != nil {
			return err
		}
		return q.refresh(ctx, text, would.Api)
	}
	in.DryRun = nil
	made, err := answer[gateway.ApiImported](q.gateway.ImportApi(ctx, &gateway.ImportApiParams{}, in))
	if err != nil {
		return err
	}
	q.api = made.Api
	q.step("import", "%s %s with %d operations at %s", q.api.Name, q.api.ApiVersion, made.Operations, q.api.BasePath)
	for _, w := range made.Warnings {
		q.step("", "note: %s", w.Detail)
	}
	return nil
}

// refresh brings an API that was there to the document and upstream that were
// handed in.
func (q *quick) refresh(ctx context.Context, text string, would gateway.Api) error {
	said := "it exists, and stays as it is"
	if q.api.Document == nil || would.Document == nil || q.api.Document.Hash != would.Document.Hash {
		got, err := answer[gateway.ApiImported](q.gateway.PutApiDocument(ctx, q.api.Id, &gateway.PutApiDocumentParams{IfMatch: ptr("*")}, gateway.DocumentPut{Document: text}))
		if err != nil {
			return err
		}
		q.api, said = got.Api, "it exists, and has the new document now"
	}
	if q.upstream != "" && !(len(q.api.Upstreams) == 1 && len(q.api.Upstreams[0].Targets) == 1 && q.api.Upstreams[0].Targets[0].URL == q.upstream) {
		up := []unit.Upstream{{Name: "default", Targets: []unit.Target{{URL: q.upstream}}}}
		x, err := answer[gateway.Api](q.gateway.UpdateApi(ctx, q.api.Id, &gateway.UpdateApiParams{IfMatch: ptr("*")}, gateway.ApiPatch{Upstreams: &up}))
		if err != nil {
			return err
		}
		q.api, said = x, said+", and the new upstream"
	}
	q.step("import", "%s: %s", q.api.Name, said)
	return nil
}

// makePlan makes and publishes a plan with API keys and a modest limit.
func (q *quick) makePlan(ctx context.Context) error {
	all, err := answer[policy.PlanList](q.policy.ListPlans(ctx, q.api.Id, &policy.ListPlansParams{}))
	if err != nil {
		return err
	}
	said := "exists"
	if i := slices.IndexFunc(all.Items, func(p policy.Plan) bool { return p.Slug == slugOf(quickName) }); i >= 0 {
		q.plan = all.Items[i]
	} else {
		q.plan, err = answer[policy.Plan](q.policy.CreatePlan(ctx, q.api.Id, &policy.CreatePlanParams{}, policy.PlanInput{
			Slug: slugOf(quickName), Name: quickName, Description: ptr("To try the API."), Security: policy.PlanSecurity{Type: policy.ApiKey},
			Limits: &policy.PlanLimits{RateLimit: &policy.RateLimit{Limit: 60, Window: "1m"}},
		}))
		if err != nil {
			return err
		}
		said = "made"
	}
	if q.plan.Status != policy.Published {
		if q.plan, err = answer[policy.Plan](q.policy.PublishPlan(ctx, q.plan.Id, nil)); err != nil {
			return err
		}
	}
	q.out.Plan = q.plan.Id
	q.step("plan", "%s: %s, API key in %s, %s", q.plan.Name, said, value(q.plan.KeyHeader), joined("; ", q.plan.LimitTexts...))
	return nil
}

// goLive deploys the draft unless it is live as it is.
func (q *quick) goLive(ctx context.Context) error {
	var err error
	if q.env, err = q.suite.environment(ctx, q.deployFlags.environment); err != nil {
		return err
	}
	if q.api, err = answer[gateway.Api](q.gateway.GetApi(ctx, q.api.Id)); err != nil {
		return err
	}
	for _, d := range q.api.Deployments {
		if d.Environment == q.env.Id && d.State == gateway.Live && d.Revision == q.api.LatestRevision && !q.api.Draft.Changed && len(d.Urls) > 0 {
			q.step("deploy", "revision %d is live in %s", d.Revision, q.env.Name)
			q.online(d.Urls[0], d.Revision)
			return nil
		}
	}
	q.step("deploy", "to %s", q.env.Name)
	in := gateway.DeploymentCreate{Environment: q.env.Id}
	if q.message != "" {
		in.Message = &q.message
	}
	d, err := answer[gateway.Deployment](q.gateway.DeployApi(ctx, q.api.Id, &gateway.DeployApiParams{}, in))
	if err == nil {
		d, err = q.await(ctx, q.suite, d, q.timeout)
	}
	if err != nil {
		return err
	}
	urls := value(d.Urls)
	if len(urls) == 0 {
		return problem.New(problem.CodeConflict, "%s is live, but no gateway group of %s says where it can be called; give one an address", q.api.Name, q.env.Name)
	}
	q.step("", "revision %d is live at %s", d.Revision, urls[0])
	q.online(urls[0], d.Revision)
	return nil
}

func (q *quick) online(url string, revision int64) {
	q.out.URL, q.out.API, q.out.Environment, q.out.Revision = strings.TrimRight(url, "/"), q.api.Id, q.env.Slug, revision
}

// publish shows the API in the portal.
func (q *quick) publish(ctx context.Context) error {
	if q.api.Published {
		q.step("publish", "the portal shows it")
		return nil
	}
	x, err := answer[gateway.Api](q.gateway.PublishApi(ctx, q.api.Id, nil))
	if err != nil {
		return err
	}
	q.api = x
	q.step("publish", "the portal shows it now")
	return nil
}

// again tries something that others take a moment to know of, as long as it is
// refused in one of the ways that pass.
func again[T any](ctx context.Context, passing []int, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := do(ctx)
		if err == nil || !slices.Contains(passing, problem.From(err).Status) {
			return v, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v, err
		}
	}
}

// subscribeQuickly subscribes the application and sees to a key.
func (q *quick) subscribeQuickly(ctx context.Context) error {
	apps, err := q.suite.applications(ctx)
	if err != nil {
		return err
	}
	in := portal.NewSubscription{Plan: q.plan.Id, CreateKey: ptr(true)}
	if i := slices.IndexFunc(apps, func(x portal.Application) bool { return x.Name == quickName }); i >= 0 {
		in.Application = &apps[i].Id
		q.out.Application = apps[i].Id
		subscribed, err := q.subscribed(ctx, apps[i].Id)
		if err != nil {
			return err
		}
		if subscribed {
			q.step("subscribe", "the application %s is subscribed", quickName)
			return q.newKey(ctx)
		}
	} else {
		in.NewApplication = &portal.NewApplication{Name: quickName, Description: ptr("Made by gatehouse quickstart.")}
	}
	// The portal learns of the plan by an event.
	made, err := again(ctx, []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, func(ctx context.Context) (portal.SubscriptionCreated, error) {
		return answer[portal.SubscriptionCreated](q.portal.CreateSubscription(ctx, &portal.CreateSubscriptionParams{}, in))
	})
	if err != nil {
		return err
	}
	q.out.Application = made.Application.Id
	q.step("subscribe", "the application %s: %s", made.Application.Name, made.Subscription.Status)
	if made.Credential == nil || made.Credential.Key == nil {
		return q.newKey(ctx)
	}
	q.out.Key = *made.Credential.Key
	return nil
}

// subscribed says whether an application is subscribed to the plan.
func (q *quick) subscribed(ctx context.Context, application string) (bool, error) {
	l, err := answer[portal.SubscriptionList](q.portal.ListSubscriptions(ctx, &portal.ListSubscriptionsParams{
		Application: &application, Plan: &q.plan.Id, Limit: ptr[portal.Limit](200),
	}))
	return slices.ContainsFunc(l.Items, func(s portal.Subscription) bool { return s.Status == "active" }), err
}

// newKey makes a key: one that exists cannot be shown again.
func (q *quick) newKey(ctx context.Context) error {
	k, err := answer[portal.Credential](q.portal.CreateCredential(ctx, q.out.Application, &portal.CreateCredentialParams{},
		portal.NewCredential{Name: "quickstart " + q.o.Now().UTC().Format("2006-01-02 15:04:05")}))
	if err != nil {
		return err
	}
	q.out.Key = value(k.Key)
	q.step("key", "a new one, since keys are shown only once")
	return nil
}
