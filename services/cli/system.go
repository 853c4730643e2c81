package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	contractsystem "github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) system() *cobra.Command {
	return group("system", "The installation itself: instances of services, jobs, keys", a.systemStatus(), a.systemJobs(), a.systemKeys())
}

// instances returns the running instances of services.
func (a *tool) instances(ctx context.Context) (tenant.SystemInstanceList, error) {
	u, err := a.suite()
	if err != nil {
		return tenant.SystemInstanceList{}, err
	}
	return answer[tenant.SystemInstanceList](u.tenant.ListSystemInstances(ctx))
}

func (a *tool) systemStatus() *cobra.Command {
	c := &cobra.Command{Use: "status", Short: "Show how every instance of every service does", Args: exactly()}
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		l, err := a.instances(ctx)
		if err != nil {
			return err
		}
		return a.result(l, func(w io.Writer) {
			t := show.NewTable("service", "instance", "status", "version", "database", "schema", "events", "started")
			for _, i := range l.Items {
				kind, schema, events := "-", "-", "-"
				if d := i.Database; d != nil {
					kind, schema, events = string(d.Kind), d.Schema, number(d.Outbox)
				}
				t.Row(i.Service, i.Instance, strings.Join(troubles(i, a.o.Now()), "; "), i.Version, kind, schema, events, when(i.StartedAt))
			}
			t.Write(w, "No instance reports.")
			for _, s := range l.Missing {
				fmt.Fprintf(w, "No instance of %s reports.\n", s)
			}
		})
	})
	return c
}

// troubles says what is wrong with an instance.
func troubles(i tenant.SystemInstance, now time.Time) []string {
	var out []string
	if now.Sub(i.At) > 30*time.Second {
		out = append(out, "silent")
	}
	if d := i.Database; d != nil {
		if why := value(d.Error); why != "" {
			out = append(out, why)
		}
		if n := len(value(d.Pending)); n > 0 {
			out = append(out, fmt.Sprintf("%d migrations pending", n))
		}
	}
	if n := i.Secrets.Stale; n > 0 {
		out = append(out, fmt.Sprintf("%d secrets cannot be read", n))
	}
	if n := i.Secrets.Missing; n > 0 {
		out = append(out, fmt.Sprintf("%d references lead to nothing", n))
	}
	if slices.ContainsFunc(i.Jobs, func(j tenant.SystemJob) bool { return value(j.Error) != "" }) {
		out = append(out, "a job failed")
	}
	if out == nil {
		return []string{"well"}
	}
	return out
}

func (a *tool) systemJobs() *cobra.Command {
	var run string
	c := &cobra.Command{
		Use: "jobs [--run SERVICE/JOB]", Short: "List background jobs, or have one run now", Args: exactly(),
		Example: "  gatehouse system jobs --run tenant-manager/housekeeping",
	}
	c.Flags().StringVar(&run, "run", "", "a job that is to run now, as service/job")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		if run != "" {
			service, job, ok := strings.Cut(run, "/")
			if !ok {
				return usage("--run: name a service and a job, such as tenant-manager/housekeeping")
			}
			u, err := a.suite()
			if err != nil {
				return err
			}
			if err := done(u.tenant.RunSystemJob(ctx, service, job)); err != nil {
				return err
			}
			return a.result(map[string]string{"service": service, "job": job}, func(w io.Writer) { fmt.Fprintf(w, "%s was asked for.\n", run) })
		}
		l, err := a.instances(ctx)
		if err != nil {
			return err
		}
		return a.result(l.Items, func(w io.Writer) {
			t := show.NewTable("service", "job", "instance", "result", "runs", "last", "next")
			for _, i := range l.Items {
				for _, j := range i.Jobs {
					if !j.Holds {
						continue
					}
					last, next, result := "-", "-", "done"
					if j.StartedAt != nil {
						last = when(*j.StartedAt)
					}
					if j.NextAt != nil {
						next = when(*j.NextAt)
					}
					switch {
					case j.Running:
						result = "running"
					case value(j.Error) != "":
						result = value(j.Error)
					}
					t.Row(i.Service, j.Name, i.Instance, result, number(j.Runs), last, next)
				}
			}
			t.Write(w, "No instance does a job.")
		})
	})
	return c
}

func (a *tool) systemKeys() *cobra.Command {
	var rotate bool
	c := &cobra.Command{
		Use: "keys [--rotate]", Short: "Show which keys secrets are encrypted with, or have them encrypted anew", Args: exactly(),
		Long: "Show which keys secrets are encrypted with. The first key of a keyring encrypts; when nothing is on another any\n" +
			"longer, that can be taken out. What is on another is encrypted anew in the background; --rotate has every\n" +
			"service do so at once that has something to encrypt anew. What is on a key that is missing cannot be read: put\n" +
			"the key back into secrets.keyring of the service, below the first.",
	}
	c.Flags().BoolVar(&rotate, "rotate", false, "have what is not on the newest key encrypted anew now")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		l, err := a.instances(ctx)
		if err != nil {
			return err
		}
		if rotate {
			return a.rotateKeys(ctx, l)
		}
		return a.result(l.Items, func(w io.Writer) {
			t := show.NewTable("service", "keys", "column", "values")
			seen := map[string]bool{}
			for _, i := range l.Items {
				if i.Keys == nil || seen[i.Service] {
					continue
				}
				seen[i.Service] = true
				for _, c := range i.Keys.Columns {
					var values []string
					for _, id := range slices.Sorted(maps.Keys(c.Values)) {
						values = append(values, onKey(c.Values[id], id, i.Keys.Ring))
					}
					t.Row(i.Service, strings.Join(i.Keys.Ring, ", "), c.Table+"."+c.Column, strings.Join(values, ", "))
				}
			}
			t.Write(w, "No service reports keys.")
		})
	})
	return c
}

// onKey says how many values are on a key, and what is the matter with it.
func onKey(n int64, id string, ring []string) string {
	switch contractsystem.StateOf(id, ring) {
	case contractsystem.KeyNone:
		return fmt.Sprintf("%d on no key", n)
	case contractsystem.KeyMissing:
		return fmt.Sprintf("%d on %s, which is missing", n, id)
	case contractsystem.KeyNewest, contractsystem.KeyOld:
	}
	return fmt.Sprintf("%d on %s", n, id)
}

// rotateKeys has every service encrypt anew that has something on another key than
// the newest, or on none.
func (a *tool) rotateKeys(ctx context.Context, l tenant.SystemInstanceList) error {
	u, err := a.suite()
	if err != nil {
		return err
	}
	old := map[string]int64{}
	for _, i := range l.Items {
		if i.Keys == nil {
			continue
		}
		var n int64
		for _, c := range i.Keys.Columns {
			for id, values := range c.Values {
				if s := contractsystem.StateOf(id, i.Keys.Ring); s == contractsystem.KeyOld || s == contractsystem.KeyNone {
					n += values
				}
			}
		}
		if n > 0 {
			old[i.Service] = max(old[i.Service], n)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(old)) {
		if err := done(u.tenant.RunSystemJob(ctx, service, "encryption")); err != nil {
			return err
		}
	}
	return a.result(old, func(w io.Writer) {
		for _, service := range slices.Sorted(maps.Keys(old)) {
			fmt.Fprintf(w, "%s encrypts %d values anew. See gatehouse system keys.\n", service, old[service])
		}
		if len(old) == 0 {
			fmt.Fprintln(w, "Everything that can be read is on the newest key.")
		}
	})
}
