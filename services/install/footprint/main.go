// Command footprint prints what the containers of a running "docker compose up" use,
// beside what may be used at most and what the management plane of a comparable
// platform is given.
//
//	footprint [-samples N]    print a table
//	footprint -write FILE     also put it into a page, between its two marks
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, docker); err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// docker runs the docker command and returns what it prints.
func docker(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "docker", args...) //nolint:gosec // the arguments are those below, and ids that docker told
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("docker %s: %w: %s", strings.Join(args[:min(len(args), 3)], " "), err, strings.TrimSpace(errs.String()))
	}
	return out, nil
}

func run(ctx context.Context, args []string, out io.Writer, docker func(context.Context, ...string) ([]byte, error)) error {
	flags := flag.NewFlagSet("footprint", flag.ContinueOnError)
	project := flags.String("project", "gatehouse", "the project of docker compose")
	samples := flags.Int("samples", 3, "how often is measured: of memory the most counts, of processor time the mean")
	page := flags.String("write", "", "a page to put the table into")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ids, err := docker(ctx, "ps", "--quiet", "--no-trunc", "--filter", "label=com.docker.compose.project="+*project)
	if err != nil {
		return err
	}
	names := strings.Fields(string(ids))
	if len(names) == 0 {
		return fmt.Errorf("no container of the project %s runs: docker compose up --wait", *project)
	}
	uses, err := inspected(ctx, docker, names)
	if err != nil {
		return err
	}
	for range max(1, *samples) {
		if err := measure(ctx, docker, names, uses); err != nil {
			return err
		}
	}
	for _, u := range uses {
		u.cpu /= float64(max(1, *samples))
	}
	t, err := tabled(uses)
	if err != nil {
		return err
	}
	fmt.Fprint(out, t.text())
	if *page == "" {
		return nil
	}
	text, err := os.ReadFile(*page)
	if err != nil {
		return err
	}
	replaced, err := put(string(text), t.markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", *page, err)
	}
	return os.WriteFile(*page, []byte(replaced), 0o644) //nolint:gosec // a page for everybody
}

// inspected returns the containers by id, with their limits.
func inspected(ctx context.Context, docker func(context.Context, ...string) ([]byte, error), names []string) (map[string]*use, error) {
	raw, err := docker(ctx, append([]string{"inspect"}, names...)...)
	if err != nil {
		return nil, err
	}
	var list []struct {
		ID     string `json:"Id"`
		Config struct {
			Labels map[string]string
		}
		HostConfig struct {
			Memory int64
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("reading what docker inspect says: %w", err)
	}
	out := map[string]*use{}
	for _, c := range list {
		out[c.ID] = &use{service: c.Config.Labels["com.docker.compose.service"], limit: mebibytes(float64(c.HostConfig.Memory))}
	}
	return out, nil
}

// measure adds one measurement.
func measure(ctx context.Context, docker func(context.Context, ...string) ([]byte, error), names []string, uses map[string]*use) error {
	raw, err := docker(ctx, append([]string{"stats", "--no-stream", "--no-trunc", "--format", "json"}, names...)...)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	for {
		var s struct{ ID, CPUPerc, MemUsage string }
		switch err := d.Decode(&s); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading what docker stats says: %w", err)
		}
		u := uses[s.ID]
		if u == nil {
			return fmt.Errorf("docker stats tells of %s, which was not asked for", s.ID)
		}
		if err := u.add(s.MemUsage, s.CPUPerc); err != nil {
			return fmt.Errorf("%s: %w", u.service, err)
		}
	}
}
