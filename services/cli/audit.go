package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	contractaudit "github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/session"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) audit() *cobra.Command {
	return group("audit", "The audit trail: what was done, by whom", a.listAudit(), a.exportAudit(), a.verifyAudit())
}

func (a *tool) listAudit() *cobra.Command {
	var search, actor, action, service string
	var refused bool
	var since time.Duration
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List what was done, newest first", Args: exactly(),
		Example: "  gatehouse audit list --action 'user.*' --since 24h",
	}
	f := c.Flags()
	f.StringVarP(&search, "search", "q", "", "a text in names, ids, actions or addresses")
	f.StringVar(&actor, "actor", "", "only what this one did, by id")
	f.StringVar(&action, "action", "", "only this action, such as user.disabled, or all of a kind, such as user.*")
	f.StringVar(&service, "service", "", "only what happened in this service")
	f.BoolVar(&refused, "refused", false, "only what was refused")
	f.DurationVar(&since, "since", 0, "how far back; 0 = to the beginning")
	f.IntVar(&limit, "limit", 50, "how many at most, up to 200")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		p := tenant.ListAuditParams{Limit: &limit}
		for to, text := range map[**string]string{&p.Q: search, &p.Actor: actor, &p.Action: action, &p.Service: service} {
			if text != "" {
				*to = &text
			}
		}
		if refused {
			p.Outcome = ptr(tenant.OutcomeRefused)
		}
		if since > 0 {
			p.From = ptr(a.o.Now().Add(-since).UTC())
		}
		l, err := answer[tenant.AuditList](u.tenant.ListAudit(ctx, &p))
		// A search looks at some thousand entries a page: those before come with the next.
		for err == nil && l.LookedBackTo != nil && l.Next != nil && len(l.Items) < limit {
			var further tenant.AuditList
			p.Cursor, p.Limit = l.Next, ptr(limit-len(l.Items))
			further, err = answer[tenant.AuditList](u.tenant.ListAudit(ctx, &p))
			l.Items, l.Next, l.LookedBackTo = append(l.Items, further.Items...), further.Next, further.LookedBackTo
		}
		if err != nil {
			return err
		}
		return a.result(l.Items, func(w io.Writer) {
			t := show.NewTable("no.", "time", "who", "did", "to", "changes", "from", "request")
			for _, e := range l.Items {
				who := value(e.Actor.Name)
				if who == "" {
					who = e.Actor.Kind
				}
				what := e.Action
				if e.Outcome == tenant.OutcomeRefused {
					what += " (refused)"
				}
				to := value(e.Target.Name)
				if to == "" {
					to = e.Target.Id
				}
				t.Row(number(e.Sequence), when(e.Time), who, what, e.Target.Kind+" "+to, number(int64(len(e.Changes))), value(e.Ip), value(e.RequestId))
			}
			t.Write(w, "Nothing was done.")
		})
	})
	return c
}

func (a *tool) exportAudit() *cobra.Command {
	var after int64
	var file, search, actor, action, service string
	c := &cobra.Command{
		Use: "export [--file FILE]", Short: "Write the audit trail as lines of JSON, to be verified elsewhere", Args: exactly(),
		Long:    "Write the audit trail as lines of JSON, with the hashes that chain its entries. gatehouse audit verify reads it\nwithout a suite. The next export goes on with --after and the number that this one ends with.\n\nOne that is narrowed by anything else is a part: it says of what, and verify says of it that the hash of each\nentry holds, and not that none is missing.",
		Example: "  gatehouse audit export --file audit-2030.jsonl\n  gatehouse audit verify audit-2030.jsonl",
	}
	c.Flags().Int64Var(&after, "after", 0, "only entries after this number")
	c.Flags().StringVarP(&search, "search", "q", "", "only those with this text in names, ids, actions or addresses")
	c.Flags().StringVar(&actor, "actor", "", "only what this one did, by id")
	c.Flags().StringVar(&action, "action", "", "only this action, such as user.disabled, or all of a kind, such as user.*")
	c.Flags().StringVar(&service, "service", "", "only what happened in this service")
	c.Flags().StringVar(&file, "file", "", "a file that is not there yet; the default is standard output")
	c.RunE = a.run(func(ctx context.Context, _ []string) (err error) {
		u, err := a.suite()
		if err != nil {
			return err
		}
		p := tenant.ExportAuditParams{After: &after}
		for to, text := range map[**string]string{&p.Q: search, &p.Actor: actor, &p.Action: action, &p.Service: service} {
			if text != "" {
				*to = &text
			}
		}
		res, err := u.tenant.ExportAudit(ctx, &p)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }() // it was read to its end
		if res.StatusCode != 200 {
			return session.Into(res, nil)
		}
		out := a.o.Out
		if file != "" {
			f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("writing the export: %w", err)
			}
			out = f
			defer func() {
				if closed := f.Close(); err == nil && closed != nil {
					err = fmt.Errorf("writing the export: %w", closed)
				}
				if err != nil {
					_ = os.Remove(file) // half an export is none
				}
			}()
		}
		b := bufio.NewWriter(out)
		if _, err := io.Copy(b, res.Body); err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		return b.Flush()
	})
	return c
}

// errBroken says that a trail is not as it was written, which was said before.
var errBroken = errors.New("the audit trail is not as it was written")

func (a *tool) verifyAudit() *cobra.Command {
	var head, anchor string
	c := &cobra.Command{
		Use: "verify [FILE]", Short: "Verify an export of the audit trail, or the trail itself", Args: atMost(1),
		Long: "Verify that no entry of an audit trail was changed, left out, or put in. An export is verified here, without a\nsuite; - reads it from standard input. Without a file the suite verifies what it has." +
			"\n\nA chain proves nothing of its end: keep the head that is printed somewhere else, and give it as --head\nfor the same export, or as --anchor for the one that follows.",
		Example: "  gatehouse audit verify audit-2030.jsonl --head 3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	}
	c.Flags().StringVar(&head, "head", "", "the hash that the last entry must have")
	c.Flags().StringVar(&anchor, "anchor", "", "the hash that the first entry must follow")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if len(args) == 0 {
			return a.verifyOwn(ctx, head)
		}
		in := a.o.In
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("reading the export: %w", err)
			}
			defer func() { _ = f.Close() }() // it was only read
			in = f
		}
		v, err := contractaudit.VerifyExport(in)
		if err != nil {
			return err
		}
		switch {
		case v.BrokenAt > 0:
		case v.Part != nil && head+anchor != "":
			return errors.New("this export is a part that a filter made: it has neither an end nor a beginning to compare; leave --head and --anchor out")
		case head != "" && v.Head != head:
			v.BrokenAt, v.Why = int(v.Last-v.First)+2, "the last entry has the hash "+v.Head+": the end was cut off, or all of it was written anew"
		case anchor != "" && v.Anchor != anchor:
			v.BrokenAt, v.Why = 1, "the first entry follows the hash "+strconv.Quote(v.Anchor)
		}
		err = a.result(map[string]any{
			"valid": v.BrokenAt == 0, "organization": v.Organization, "first": v.First, "last": v.Last, "anchor": v.Anchor, "head": v.Head,
			"brokenAtLine": v.BrokenAt, "why": v.Why, "part": v.Part, "entries": entriesOf(v),
		}, func(w io.Writer) {
			if v.BrokenAt > 0 {
				fmt.Fprintf(w, "Line %d is not as it was written: %s.\n", v.BrokenAt, v.Why)
				return
			}
			if v.Part != nil {
				fmt.Fprintf(w, "A part of a trail, made by a filter: the hash of each of its %d entries holds. What lies between them is not checked.\n", v.Entries)
				show.Pairs(w, append([]string{"organization", v.Organization, "made", when(v.Part.At), "trail then ended with", v.Part.Head}, filterOf(*v.Part)...)...)
				return
			}
			fmt.Fprintf(w, "Entries %d to %d are as they were written.\n", v.First, v.Last)
			show.Pairs(w, "organization", v.Organization, "head", v.Head)
		})
		if err == nil && v.BrokenAt > 0 {
			return errBroken
		}
		return err
	})
	return c
}

// entriesOf returns how many entries were verified.
func entriesOf(v contractaudit.Verified) int64 {
	switch {
	case v.Part != nil:
		return v.Entries
	case v.First == 0:
		return 0
	}
	return v.Last - v.First + 1
}

// filterOf returns by what a part was narrowed, as names and values.
func filterOf(p contractaudit.Part) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.Filter)) {
		out = append(out, "only "+name, p.Filter[name])
	}
	return out
}

// verifyOwn has the suite verify its own trail.
func (a *tool) verifyOwn(ctx context.Context, head string) error {
	u, err := a.suite()
	if err != nil {
		return err
	}
	v, err := answer[tenant.AuditVerification](u.tenant.VerifyAudit(ctx))
	if err != nil {
		return err
	}
	broken := !v.Valid || head != "" && v.Head != head
	err = a.result(v, func(w io.Writer) {
		switch {
		case !v.Valid:
			fmt.Fprintf(w, "Entry %d is not as it was written.\n", value(v.BrokenAt))
		case broken:
			fmt.Fprintf(w, "The last entry has the hash %s, which is not the head that was given.\n", v.Head)
		default:
			fmt.Fprintf(w, "%d entries are as they were written.\n", v.Entries)
			show.Pairs(w, "head", v.Head)
		}
	})
	if err == nil && broken {
		return errBroken
	}
	return err
}
