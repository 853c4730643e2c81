package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/policy"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) plans() *cobra.Command {
	return group("plan", "How APIs may be consumed",
		a.listPlans(), a.createPlan(),
		a.movePlan("publish", "Open a plan to subscriptions", func(ctx context.Context, u *suite, plan string) (*http.Response, error) {
			return u.policy.PublishPlan(ctx, plan, nil)
		}),
		a.movePlan("deprecate", "Close a plan to new subscriptions", func(ctx context.Context, u *suite, plan string) (*http.Response, error) {
			return u.policy.DeprecatePlan(ctx, plan, nil)
		}),
		a.movePlan("close", "Close a plan for good", func(ctx context.Context, u *suite, plan string) (*http.Response, error) {
			return u.policy.ClosePlan(ctx, plan, nil)
		}),
	)
}

func (a *tool) listPlans() *cobra.Command {
	c := &cobra.Command{Use: "list API", Short: "List the plans of an API", Args: exactly("the API")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		all, err := answer[policy.PlanList](u.policy.ListPlans(ctx, x.Id, &policy.ListPlansParams{}))
		if err != nil {
			return err
		}
		return a.result(all.Items, func(w io.Writer) {
			t := show.NewTable("plan", "name", "status", "security", "approval", "limits")
			for _, p := range all.Items {
				t.Row(p.Slug, p.Name, string(p.Status), string(p.Security.Type), string(p.Approval), strings.Join(p.LimitTexts, "; "))
			}
			t.Write(w, "The API has no plans. gatehouse plan create makes one.")
		})
	})
	return c
}

// limitPattern is a limit as people write it: 100/1m, 10000/month.
var limitPattern = regexp.MustCompile(`^([1-9][0-9]*)/([0-9a-z.µ]+)$`)

// limit reads a limit.
func limit(flag, text string) (n int64, window string, err error) {
	m := limitPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, "", usage("%s is a number and a time, such as 100/1m or 10000/month, not %q", flag, text)
	}
	if n, err = strconv.ParseInt(m[1], 10, 64); err != nil {
		return 0, "", usage("%s: %q is too large a number", flag, m[1])
	}
	window = map[string]string{"second": "1s", "minute": "1m"}[m[2]]
	if window == "" {
		window = m[2]
	}
	return n, window, nil
}

// slugOf makes a slug of a name.
func slugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), 63)], "-")
}

func (a *tool) createPlan() *cobra.Command {
	var slug, name, security, rate, quota, description string
	var manual, publish bool
	c := &cobra.Command{
		Use: "create API --name NAME", Short: "Make a plan", Args: exactly("the API"),
		Example: "  gatehouse plan create petstore --name Gold --rate-limit 100/1m --quota 10000/month --publish",
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "the plan's name")
	f.StringVar(&slug, "slug", "", "its short name; made of the name when not given")
	f.StringVar(&description, "description", "", "what consumers are told")
	f.StringVar(&security, "security", "api-key", "keyless, api-key, jwt, oauth2, basic or mtls")
	f.StringVar(&rate, "rate-limit", "", "how often each subscription may call, such as 100/1m")
	f.StringVar(&quota, "quota", "", "how often in a long time, such as 10000/month or 500/30d")
	f.BoolVar(&manual, "manual", false, "a publisher approves each subscription")
	f.BoolVar(&publish, "publish", false, "open it to subscriptions at once")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if name == "" {
			return usage("--name is needed")
		}
		in := policy.PlanInput{Name: name, Slug: slug, Security: policy.PlanSecurity{Type: policy.SecurityType(security)}, Limits: &policy.PlanLimits{}}
		if in.Slug == "" {
			in.Slug = slugOf(name)
		}
		if description != "" {
			in.Description = &description
		}
		if manual {
			in.Approval = ptr(policy.Manual)
		}
		if rate != "" {
			n, window, err := limit("--rate-limit", rate)
			if err != nil {
				return err
			}
			in.Limits.RateLimit = &policy.RateLimit{Limit: n, Window: window}
		}
		if quota != "" {
			n, window, err := limit("--quota", quota)
			if err != nil {
				return err
			}
			in.Limits.Quota = &policy.Quota{Limit: n, Window: window}
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		p, err := answer[policy.Plan](u.policy.CreatePlan(ctx, x.Id, &policy.CreatePlanParams{}, in))
		if err == nil && publish {
			p, err = answer[policy.Plan](u.policy.PublishPlan(ctx, p.Id, nil))
		}
		if err != nil {
			return err
		}
		return a.showPlan(p)
	})
	return c
}

func (a *tool) showPlan(p policy.Plan) error {
	return a.result(p, func(w io.Writer) {
		fmt.Fprintf(w, "The plan %s (%s) is %s.\n", p.Name, p.Slug, p.Status)
	})
}

// planMove takes a plan to another status.
type planMove func(ctx context.Context, u *suite, plan string) (*http.Response, error)

func (a *tool) movePlan(verb, short string, move planMove) *cobra.Command {
	c := &cobra.Command{Use: verb + " API PLAN", Short: short, Args: exactly("the API", "the plan")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		p, err := u.plan(ctx, x.Id, args[1])
		if err != nil {
			return err
		}
		if p, err = answer[policy.Plan](move(ctx, u, p.Id)); err != nil {
			return err
		}
		return a.showPlan(p)
	})
	return c
}
