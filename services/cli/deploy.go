package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/gateway"
)

// deployFlags say where to, and how long to wait.
type deployFlags struct {
	environment, message string
	noWait               bool
	timeout              time.Duration
}

func (f *deployFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.environment, "environment", "e", "", "the environment; the first when not given")
	c.Flags().StringVarP(&f.message, "message", "m", "", "what is new")
	f.addWait(c)
}

func (f *deployFlags) addWait(c *cobra.Command) {
	c.Flags().BoolVar(&f.noWait, "no-wait", false, "do not wait until every gateway has it")
	c.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait")
}

func (a *tool) deployAPI() *cobra.Command {
	var f deployFlags
	var revision int64
	c := &cobra.Command{
		Use: "deploy API", Short: "Deploy an API, and wait until every gateway has it", Args: exactly("the API"),
		Long: "Deploy an API, and wait until every gateway has it. Without --revision, one is made of the draft.",
	}
	f.add(c)
	c.Flags().Int64VarP(&revision, "revision", "r", 0, "the number of a revision")
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.deployTo(ctx, args[0], f, revision) })
	return c
}

func (a *tool) rollBackAPI() *cobra.Command {
	var f deployFlags
	var revision int64
	c := &cobra.Command{
		Use: "rollback API", Short: "Deploy the revision before the one that is deployed, or another", Args: exactly("the API"),
	}
	f.add(c)
	c.Flags().Int64VarP(&revision, "revision", "r", 0, "the number of a revision; the one deployed before when not given")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		if revision == 0 {
			if revision, err = u.before(ctx, args[0], f.environment); err != nil {
				return err
			}
		}
		return a.deployTo(ctx, args[0], f, revision)
	})
	return c
}

// before returns the revision that was deployed before the one that is.
func (s *suite) before(ctx context.Context, ref, environment string) (int64, error) {
	e, err := s.environment(ctx, environment)
	if err != nil {
		return 0, err
	}
	x, err := s.api(ctx, ref)
	if err != nil {
		return 0, err
	}
	for _, d := range x.Deployments {
		if d.Environment != e.Id {
			continue
		}
		last, err := answer[gateway.Deployment](s.gateway.GetDeployment(ctx, d.Deployment))
		if err != nil {
			return 0, err
		}
		if n := value(last.PreviousRevision); n > 0 && n != d.Revision {
			return n, nil
		}
		if d.Revision > 1 {
			return d.Revision - 1, nil
		}
	}
	return 0, problem.New(problem.CodeConflict, "there is nothing that %s could be rolled back to in %s", x.Name, e.Name)
}

func (a *tool) deployTo(ctx context.Context, ref string, f deployFlags, revision int64) error {
	u, err := a.suite()
	if err != nil {
		return err
	}
	x, err := u.api(ctx, ref)
	if err != nil {
		return err
	}
	e, err := u.environment(ctx, f.environment)
	if err != nil {
		return err
	}
	in := gateway.DeploymentCreate{Environment: e.Id}
	if revision > 0 {
		in.Revision = &revision
	}
	if f.message != "" {
		in.Message = &f.message
	}
	d, err := answer[gateway.Deployment](u.gateway.DeployApi(ctx, x.Id, &gateway.DeployApiParams{}, in))
	if err != nil {
		return err
	}
	return a.follow(ctx, u, d, f)
}

// follow waits until a deployment has come to an end, and says what came of it.
func (a *tool) follow(ctx context.Context, u *suite, d gateway.Deployment, f deployFlags) error {
	if !f.noWait {
		var err error
		if d, err = a.await(ctx, u, d, f.timeout); err != nil {
			return err
		}
	}
	return a.result(d, func(w io.Writer) {
		if d.Action == gateway.Undeploy {
			fmt.Fprintf(w, "%s is taken out of %s: %s.\n", d.ApiName, d.EnvironmentName, d.State)
			return
		}
		fmt.Fprintf(w, "%s revision %d in %s: %s.\n", d.ApiName, d.Revision, d.EnvironmentName, d.State)
		for _, x := range value(d.Urls) {
			fmt.Fprintf(w, "  %s\n", x)
		}
	})
}

// lookEvery is how often a deployment is looked at.
const lookEvery = 150 * time.Millisecond

// await waits until a deployment is live, and tells how it gets on.
func (a *tool) await(ctx context.Context, u *suite, d gateway.Deployment, limit time.Duration) (gateway.Deployment, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, problem.New(problem.CodeDependencyDown, "gateways have not got it within %s; see gatehouse gateway list", limit))
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	told := map[string]string{}
	tell := func(key, text string) {
		if told[key] != text {
			told[key] = text
			a.say("%s", text)
		}
	}
	for {
		if d.State != gateway.Publishing {
			for _, g := range d.Gateways {
				tell(g.Gateway, fmt.Sprintf("  gateway %s: %s", g.Name, joined(", ", string(g.State), value(g.Detail))))
			}
		}
		switch d.State {
		case gateway.Live:
			return d, nil
		case gateway.Failed:
			return d, problem.New(problem.CodeConflict, "the deployment failed: %s", joined("; ", value(d.Problem), gatewayIssues(d)))
		case gateway.Superseded:
			return d, problem.New(problem.CodeConflict, "another deployment has taken its place")
		case gateway.Publishing, gateway.Applying:
			tell("", "  "+joined(": ", string(d.State), value(d.Problem)))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return d, context.Cause(ctx)
		}
		var err error
		if d, err = answer[gateway.Deployment](u.gateway.GetDeployment(ctx, d.Id)); err != nil {
			if ctx.Err() != nil {
				return d, context.Cause(ctx)
			}
			return d, err
		}
	}
}

func gatewayIssues(d gateway.Deployment) string {
	var out []string
	for _, g := range d.Gateways {
		if g.State == gateway.Issue {
			out = append(out, "gateway "+g.Name+": "+value(g.Detail))
		}
	}
	return joined("; ", out...)
}

func (a *tool) undeployAPI() *cobra.Command {
	var f deployFlags
	c := &cobra.Command{Use: "undeploy API", Short: "Take an API out of an environment", Args: exactly("the API")}
	c.Flags().StringVarP(&f.environment, "environment", "e", "", "the environment")
	f.addWait(c)
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if f.environment == "" {
			return usage("say which with --environment")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		x, err := u.api(ctx, args[0])
		if err != nil {
			return err
		}
		e, err := u.environment(ctx, f.environment)
		if err != nil {
			return err
		}
		d, err := answer[gateway.Deployment](u.gateway.UndeployApi(ctx, x.Id, e.Id, nil))
		if err != nil {
			return err
		}
		return a.follow(ctx, u, d, f)
	})
	return c
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
