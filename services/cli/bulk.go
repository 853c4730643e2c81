package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

// longestSheet bounds a list of people, in bytes.
const longestSheet = 4 << 20

// bulkFlags say how far a bulk job goes, and whether to wait for it.
type bulkFlags struct{ dry, noWait bool }

func (b *bulkFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&b.dry, "dry-run", false, "show what would become of each, and do nothing")
	c.Flags().BoolVar(&b.noWait, "no-wait", false, "start it, and do not wait for its end")
}

func (a *tool) userImport() *cobra.Command {
	var (
		roles           []string
		by              bulkFlags
		portal, partial bool
		columns         map[string]string
	)
	c := &cobra.Command{
		Use: "import FILE", Short: "Invite the people of a CSV file", Args: exactly("the file"),
		Long: "Invite the people of a CSV file; - is the standard input.\n\n" +
			"The first line names the columns: email, and name, roles and groups where there are any. Several roles or\n" +
			"groups are separated by |. Nothing is done where a line is not right; --dry-run shows what would be done.\n" +
			"It is a bulk job, which the server goes on with when this ends; see gatehouse user jobs.",
		Example: "  gatehouse user import people.csv --dry-run\n  gatehouse user import people.csv --role viewer --column email=Login",
	}
	f := c.Flags()
	f.StringSliceVar(&roles, "role", nil, "a role of those whose line names neither roles nor groups; may be given again")
	f.StringToStringVar(&columns, "column", nil, "which column says email, name, roles or groups, such as email=Login; may be given again")
	f.BoolVar(&partial, "partial", false, "invite the others where lines are not right")
	f.BoolVar(&portal, "portal", false, "the links lead to the developer portal")
	by.add(c)
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		text, err := a.sheet(args[0])
		if err != nil {
			return err
		}
		in := tenant.BulkJobInput{Action: tenant.Invite, Csv: &text}
		if args[0] != "-" {
			in.Name = ptr(called(args[0]))
		}
		if portal {
			in.To = ptr(tenant.Portal)
		}
		if in.Columns, err = columnsOf(columns); err != nil {
			return err
		}
		if len(roles) > 0 {
			given := make([]tenant.InvitedRole, len(roles))
			for i, r := range roles {
				given[i] = tenant.InvitedRole{Role: r}
			}
			in.Roles = &given
		}
		return a.bulk(ctx, in, by, func(rows []tenant.BulkJobRow) error {
			wrong := 0
			for _, r := range rows {
				if r.Errors != nil {
					wrong++
				}
			}
			if wrong > 0 && !partial {
				return fmt.Errorf("%d lines are not right, and nobody was invited", wrong)
			}
			return nil
		})
	})
	return c
}

// called returns the end of a path, as a job can be called.
func called(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	const most = 120
	if r := []rune(name); len(r) > most {
		name = string(r[:most])
	}
	return name
}

func columnsOf(in map[string]string) (*tenant.BulkJobColumns, error) {
	if len(in) == 0 {
		return nil, nil //nolint:nilnil // none are named
	}
	var out tenant.BulkJobColumns
	into := map[string]**string{"email": &out.Email, "name": &out.Name, "roles": &out.Roles, "groups": &out.Groups}
	for field, as := range in {
		at, ok := into[field]
		if !ok {
			return nil, usage("--column names email, name, roles or groups, not %q", field)
		}
		*at = &as
	}
	return &out, nil
}

// sheet reads a list of people.
func (a *tool) sheet(name string) (string, error) {
	in := a.o.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("reading the list: %w", err)
		}
		defer func() { _ = f.Close() }() // it was read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, longestSheet+1))
	if err != nil {
		return "", fmt.Errorf("reading the list: %w", err)
	}
	if len(b) > longestSheet {
		return "", errors.New("the list is larger than 4 MiB: cut it in parts")
	}
	return string(b), nil
}

// bulkActions are what can be done to users who are named or filtered.
var bulkActions = []string{"disable", "enable", "add-to-group", "remove-from-group", "reset-factors", "password-link", "delete"}

func (a *tool) userBulk() *cobra.Command {
	var (
		filter userFilter
		by     bulkFlags
		all    bool
		target string
	)
	c := &cobra.Command{
		Use: "bulk ACTION [WHO...]", Short: "Do the same to many users",
		Long: "Do the same to many users: to those who are named, or to all that match the filter. ACTION is one of\n" +
			strings.Join(bulkActions, ", ") + ".\n" +
			"The server does it, one after the other, and goes on when this ends; see gatehouse user jobs.",
		Example: "  gatehouse user bulk disable --seen 180d --source local --dry-run\n  gatehouse user bulk add-to-group ada@example.com paul@example.com --to Staff",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("say what to do: %s; see %s --help", strings.Join(bulkActions, ", "), c.CommandPath())
			}
			return nil
		},
	}
	filter.flags(c.Flags())
	c.Flags().BoolVar(&all, "all", false, "all users, where there is no filter")
	c.Flags().StringVar(&target, "to", "", "the group, for add-to-group and remove-from-group")
	by.add(c)
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		in := tenant.BulkJobInput{Action: tenant.BulkJobAction(args[0])}
		f, err := filter.filter(a.o.Now())
		if err != nil {
			return err
		}
		filtered := f != tenant.BulkJobFilter{}
		switch named := len(args) > 1; {
		case named && (filtered || all):
			return usage("name users, or filter them; not both")
		case !named && !filtered && !all:
			return usage("name users, filter them, or say --all")
		case !named:
			in.Filter = &f
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		if len(args) > 1 {
			ids := make([]string, len(args)-1)
			for i, who := range args[1:] {
				id, err := u.principal(ctx, who)
				if err != nil {
					return err
				}
				ids[i] = value(id)
			}
			in.Users = &ids
		}
		if target != "" {
			if in.Group, err = u.principal(ctx, target); err != nil {
				return err
			}
		}
		return a.bulk(ctx, in, by, func([]tenant.BulkJobRow) error { return nil })
	})
	return c
}

// bulk makes a job, shows what it would do or starts it, and shows what it did. fit
// says why it is not to be started.
func (a *tool) bulk(ctx context.Context, in tenant.BulkJobInput, by bulkFlags, fit func([]tenant.BulkJobRow) error) error {
	u, err := a.suite()
	if err != nil {
		return err
	}
	j, err := answer[tenant.BulkJob](u.tenant.CreateBulkJob(ctx, &tenant.CreateBulkJobParams{}, in))
	if err != nil {
		return err
	}
	return a.carryOut(ctx, u, j, by, fit)
}

// carryOut is as bulk, of a job that is made.
func (a *tool) carryOut(ctx context.Context, u *suite, j tenant.BulkJob, by bulkFlags, fit func([]tenant.BulkJobRow) error) (err error) {
	if j, err = a.bulkOver(ctx, u, j); err != nil {
		return err
	}
	rows, err := u.bulkRows(ctx, j.Id)
	if err != nil {
		return err
	}
	unfit := fit(rows)
	if by.dry || unfit != nil || j.Status != tenant.BulkJobStatusReady {
		shown := a.result(rows, func(w io.Writer) { showBulk(w, j, rows) })
		if j.MayCancel {
			if _, err := answer[tenant.BulkJob](u.tenant.CancelBulkJob(ctx, j.Id, &tenant.CancelBulkJobParams{})); err != nil {
				return errors.Join(shown, err)
			}
		}
		if by.dry {
			unfit = nil
		}
		return errors.Join(shown, unfit, stopped(j))
	}
	if j, err = answer[tenant.BulkJob](u.tenant.StartBulkJob(ctx, j.Id, &tenant.StartBulkJobParams{})); err != nil {
		return err
	}
	if by.noWait {
		return a.result(j, func(w io.Writer) { fmt.Fprintf(w, "It runs: gatehouse user jobs %s\n", j.Id) })
	}
	if j, err = a.bulkOver(ctx, u, j); err != nil {
		return err
	}
	if rows, err = u.bulkRows(ctx, j.Id); err != nil {
		return err
	}
	return errors.Join(a.result(rows, func(w io.Writer) { showBulk(w, j, rows) }), stopped(j))
}

// stopped returns why a job ended before its rows did.
func stopped(j tenant.BulkJob) error {
	if value(j.Reason) == "" {
		return nil
	}
	return problem.New(problem.CodeConflict, "the job ended before each had its turn: %s", *j.Reason)
}

// bulkOver waits until the server is done with a job for now, and tells how far it is.
func (a *tool) bulkOver(ctx context.Context, u *suite, j tenant.BulkJob) (tenant.BulkJob, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	said := int64(-1)
	for j.Status == tenant.BulkJobStatusChecking || j.Status == tenant.BulkJobStatusRunning {
		if done := j.Total - j.Counts.Pending; done != said && done > 0 {
			said = done
			a.say("  %s: %d of %d", j.Status, done, j.Total)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return j, context.Cause(ctx)
		}
		var err error
		if j, err = answer[tenant.BulkJob](u.tenant.GetBulkJob(ctx, j.Id)); err != nil {
			return j, err
		}
	}
	return j, nil
}

func (s *suite) bulkRows(ctx context.Context, job string) ([]tenant.BulkJobRow, error) {
	return pages(func(cursor *string) ([]tenant.BulkJobRow, *string, error) {
		l, err := answer[tenant.BulkJobRowList](s.tenant.ListBulkJobRows(ctx, job, &tenant.ListBulkJobRowsParams{Cursor: cursor, Limit: ptr(200)}))
		return l.Items, l.Next, err
	})
}

func showBulk(w io.Writer, j tenant.BulkJob, rows []tenant.BulkJobRow) {
	outcome := "outcome"
	if j.Preview {
		outcome = "would be"
	}
	t := show.NewTable("line", "email", "roles and groups", outcome, "why")
	for _, r := range rows {
		line, email := strconv.FormatInt(r.Turn, 10), value(r.Email)
		if r.Line != nil {
			line = strconv.FormatInt(*r.Line, 10)
		}
		if r.User != nil {
			email = joined(" ", r.User.Email)
			if email == "" {
				email = r.User.Id
			}
		}
		var why []string
		for _, e := range value(r.Errors) {
			said := e.Detail
			if e.Field != nil {
				said = string(*e.Field) + ": " + said
			}
			why = append(why, said)
		}
		if len(why) == 0 && value(r.Detail) != "" {
			why = append(why, *r.Detail)
		}
		if value(r.Mailed) {
			why = append(why, "a link goes out by mail")
		}
		t.Row(line, email, strings.Join(append(value(r.Roles), value(r.Groups)...), ", "), string(r.Outcome), strings.Join(why, "; "))
	}
	t.Write(w, "There is nobody.")
	if n := value(j.Unused); len(n) > 0 {
		fmt.Fprintf(w, "These columns are not read: %s\n", strings.Join(n, ", "))
	}
}

func (a *tool) userJobs() *cobra.Command {
	var (
		cancel, retry bool
		by            bulkFlags
	)
	c := &cobra.Command{
		Use: "jobs [ID]", Short: "Bulk jobs over users, or what became of the rows of one",
		Example: "  gatehouse user jobs\n  gatehouse user jobs 0198c1a2-7b1e-7c3d-9f00-1a2b3c4d5e6f --retry --dry-run\n  gatehouse user jobs 0198c1a2-7b1e-7c3d-9f00-1a2b3c4d5e6f --cancel",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 || (cancel || retry) && len(args) == 0 {
				return exactly("the id")(c, args)
			}
			if (by.dry || by.noWait) && !retry {
				return usage("--dry-run and --no-wait are for --retry")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&retry, "retry", false, "try again, by a new job, the rows that were refused or failed")
	by.add(c)
	c.Flags().BoolVar(&cancel, "cancel", false, "end it before it is done; what was done stays")
	c.MarkFlagsMutuallyExclusive("cancel", "retry")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return a.bulkList(ctx, u)
		}
		var j tenant.BulkJob
		if retry {
			if j, err = answer[tenant.BulkJob](u.tenant.RetryBulkJob(ctx, args[0], &tenant.RetryBulkJobParams{})); err != nil {
				return err
			}
			return a.carryOut(ctx, u, j, by, func([]tenant.BulkJobRow) error { return nil })
		}
		if cancel {
			j, err = answer[tenant.BulkJob](u.tenant.CancelBulkJob(ctx, args[0], &tenant.CancelBulkJobParams{}))
		} else {
			j, err = answer[tenant.BulkJob](u.tenant.GetBulkJob(ctx, args[0]))
		}
		if err != nil {
			return err
		}
		rows, err := u.bulkRows(ctx, j.Id)
		if err != nil {
			return err
		}
		return a.result(rows, func(w io.Writer) {
			showBulk(w, j, rows)
			fmt.Fprintf(w, "%s: %s\n", j.Action, joined(": ", string(j.Status), value(j.Reason)))
		})
	})
	return c
}

func (a *tool) bulkList(ctx context.Context, u *suite) error {
	jobs, err := pages(func(cursor *string) ([]tenant.BulkJob, *string, error) {
		l, err := answer[tenant.BulkJobList](u.tenant.ListBulkJobs(ctx, &tenant.ListBulkJobsParams{Cursor: cursor, Limit: ptr(200)}))
		return l.Items, l.Next, err
	})
	if err != nil {
		return err
	}
	return a.result(jobs, func(w io.Writer) {
		t := show.NewTable("id", "action", "status", "done", "refused", "rows", "by", "created")
		for _, j := range jobs {
			t.Row(j.Id, string(j.Action), string(j.Status), strconv.FormatInt(j.Counts.Done, 10), strconv.FormatInt(j.Counts.Refused, 10),
				strconv.FormatInt(j.Total, 10), j.CreatedBy.Name, when(j.CreatedAt))
		}
		t.Write(w, "There are no bulk jobs.")
	})
}
