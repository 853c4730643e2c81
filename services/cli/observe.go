package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/analysis"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/gateway"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) usage() *cobra.Command {
	var api string
	var since time.Duration
	c := &cobra.Command{Use: "usage", Short: "Say how much APIs are called, and how it goes", Args: exactly()}
	c.Flags().StringVar(&api, "api", "", "only one API, by slug, name or id")
	c.Flags().DurationVar(&since, "since", time.Hour, "how far back")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		from := a.o.Now().Add(-since).UTC()
		p := analysis.GetUsageParams{From: &from, Top: &[]analysis.Dimension{analysis.DimensionApi, analysis.DimensionApplication}}
		if api != "" {
			x, err := u.api(ctx, api)
			if err != nil {
				return err
			}
			p.Api = &analysis.Ids{x.Id}
		}
		r, err := answer[analysis.UsageReport](u.analysis.GetUsage(ctx, &p))
		if err != nil {
			return err
		}
		return a.result(r, func(w io.Writer) {
			t := r.Total
			show.Pairs(w, "requests", number(t.Requests), "answered 2xx", number(t.Status2xx), "3xx", number(t.Status3xx), "4xx", number(t.Status4xx), "5xx", number(t.Status5xx),
				"refused", number(t.Refused), "half within", micros(t.P50), "95 % within", micros(t.P95), "99 % within", micros(t.P99))
			for name, leaders := range value(r.Top) {
				if len(leaders) == 0 {
					continue
				}
				fmt.Fprintln(w)
				l := show.NewTable(name, "requests", "refused", "5xx", "95 % within")
				for _, x := range leaders {
					label := x.Name
					if label == "" {
						label = x.Key
					}
					l.Row(label, number(x.Requests), number(x.Refused), number(x.Status5xx), micros(x.P95))
				}
				l.Write(w, "")
			}
		})
	})
	return c
}

// micros says a duration in microseconds.
func micros(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.String()
}

func (a *tool) explain() *cobra.Command {
	c := &cobra.Command{
		Use: "explain REQUEST-ID", Short: "Say why a request was answered as it was", Args: exactly("the request id"),
		Long: "Say why a request was answered as it was. The request id is in the header X-Request-Id of each response,\nand in the field instance of each refusal.",
	}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := answer[analysis.Explanation](u.analysis.ExplainRequest(ctx, args[0]))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintln(w, x.Sentence)
			if f := value(x.Fix); f != "" {
				fmt.Fprintln(w, f)
			}
			fmt.Fprintln(w)
			t := show.NewTable("step", "outcome", "what happened", "took")
			for _, s := range x.Steps {
				took := ""
				if s.DurationUs != nil {
					took = micros(*s.DurationUs)
				}
				t.Row(string(s.Kind), string(s.Outcome), s.Sentence, took)
			}
			t.Write(w, "")
		})
	})
	return c
}

func (a *tool) gateways() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List gateways and what they serve", Args: exactly()}
	list.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		p := gateway.ListGatewaysParams{Limit: ptr(200)}
		all, err := pages(func(cursor *string) ([]gateway.Gateway, *string, error) {
			p.Cursor = cursor
			l, err := answer[gateway.GatewayList](u.gateway.ListGateways(ctx, &p))
			return l.Items, l.Next, err
		})
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("gateway", "group", "environment", "state", "version", "APIs", "memory", "last seen", "issues")
			for _, g := range all {
				v := number(g.AppliedVersion)
				if g.AppliedVersion != g.DesiredVersion {
					v += " of " + number(g.DesiredVersion)
				}
				t.Row(g.Name, g.GroupName, g.EnvironmentName, string(g.State), v, number(int64(g.Apis)), fmt.Sprintf("%d MiB", g.Memory>>20), when(g.LastSeenAt), number(int64(len(g.Issues))))
			}
			t.Write(w, "There are no gateways.")
		})
	})
	return group("gateway", "Gateways", list)
}
