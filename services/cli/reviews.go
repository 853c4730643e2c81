package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse/gatehouse/services/cli/internal/client/tenant"
	"github.com/gatehouse/gatehouse/services/cli/internal/show"
)

func (a *tool) accessReview() *cobra.Command {
	return group("review", "Reviews of who has access", a.reviewList(), a.reviewCreate(), a.reviewShow(), a.reviewDecide(tenant.AccessReviewDefault("keep")), a.reviewDecide(tenant.AccessReviewDefault("revoke")))
}

// reviews returns the reviews that the caller may see, or only those that wait for
// them.
func (s *suite) reviews(ctx context.Context, waiting bool) ([]tenant.AccessReview, error) {
	return pages(func(cursor *string) ([]tenant.AccessReview, *string, error) {
		l, err := answer[tenant.AccessReviewList](s.tenant.ListAccessReviews(ctx, &tenant.ListAccessReviewsParams{Cursor: cursor, Limit: ptr(200), Waiting: ptr(waiting)}))
		return l.Items, l.Next, err
	})
}

// review finds a review by its id or name; the newest of a name.
func (s *suite) review(ctx context.Context, ref string) (tenant.AccessReview, error) {
	all, err := s.reviews(ctx, false)
	if err != nil {
		return tenant.AccessReview{}, err
	}
	names := make([]string, len(all))
	for i, r := range all {
		if r.Id == ref || strings.EqualFold(r.Name, ref) {
			return r, nil
		}
		names[i] = r.Name
	}
	return tenant.AccessReview{}, missing("review", ref, names)
}

func (a *tool) reviewList() *cobra.Command {
	var waiting bool
	c := &cobra.Command{Use: "list", Short: "List reviews, newest first", Args: exactly()}
	c.Flags().BoolVar(&waiting, "waiting", false, "only those that wait for you")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		all, err := u.reviews(ctx, waiting)
		if err != nil {
			return err
		}
		return a.result(all, func(w io.Writer) {
			t := show.NewTable("review", "id", "of", "status", "decided", "deadline")
			for _, r := range all {
				t.Row(r.Name, r.Id, strings.TrimSpace(string(r.Scope.Kind)+" "+value(r.ScopeName)), string(r.Status), fmt.Sprintf("%d of %d", r.Decided, r.Items), when(r.Deadline))
			}
			t.Write(w, "There are no reviews.")
		})
	})
	return c
}

func (a *tool) reviewCreate() *cobra.Command {
	var project, role, who, undecided string
	var reviewers []string
	var days, repeat int64
	c := &cobra.Command{
		Use: "create NAME", Short: "Begin a review of what everybody has, or of a project, a role or a group", Args: exactly("the name"),
		Example: "  gatehouse access review create \"First quarter\" --role administrator --days 14 --undecided revoke --repeat 90",
	}
	c.Flags().StringVar(&project, "project", "", "what was given in this project")
	c.Flags().StringVar(&role, "role", "", "who has this role")
	c.Flags().StringVar(&who, "group", "", "what this group and its members have")
	c.Flags().StringArrayVar(&reviewers, "reviewer", nil, "who decides; by default the owners of what is reviewed")
	c.Flags().Int64Var(&days, "days", 14, "for how many days people can decide")
	c.Flags().Int64Var(&repeat, "repeat", 0, "begin the next round after so many days")
	c.Flags().StringVar(&undecided, "undecided", "keep", "what becomes of grants that nobody decides on: keep or revoke")
	c.MarkFlagsMutuallyExclusive("project", "role", "group")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if undecided != "keep" && undecided != "revoke" || days < 1 {
			return usage("--undecided is keep or revoke, and --days one or more")
		}
		u, err := a.suite()
		if err != nil {
			return err
		}
		in := tenant.AccessReviewInput{
			Name: args[0], Scope: tenant.AccessReviewScope{Kind: "organization"}, Undecided: tenant.AccessReviewDefault(undecided), Deadline: a.o.Now().Add(time.Duration(days) * 24 * time.Hour),
		}
		switch {
		case project != "":
			p, err := u.project(ctx, project)
			if err != nil {
				return err
			}
			in.Scope = tenant.AccessReviewScope{Kind: "project", Id: &p.Id}
		case role != "":
			in.Scope = tenant.AccessReviewScope{Kind: "role", Id: &role}
		case who != "":
			id, err := u.principal(ctx, who)
			if err != nil {
				return err
			}
			in.Scope = tenant.AccessReviewScope{Kind: "group", Id: id}
		}
		if repeat > 0 {
			in.RepeatDays = &repeat
		}
		var ids []string
		for _, r := range reviewers {
			id, err := u.principal(ctx, r)
			if err != nil {
				return err
			}
			ids = append(ids, value(id))
		}
		if ids != nil {
			in.Reviewers = &ids
		}
		x, err := answer[tenant.AccessReview](u.tenant.CreateAccessReview(ctx, &tenant.CreateAccessReviewParams{}, in))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "%s has begun: %d grants, until %s (%s).\n", x.Name, x.Items, when(x.Deadline), x.Id)
		})
	})
	return c
}

func (s *suite) reviewItems(ctx context.Context, id string) ([]tenant.AccessReviewItem, error) {
	return pages(func(cursor *string) ([]tenant.AccessReviewItem, *string, error) {
		l, err := answer[tenant.AccessReviewItemList](s.tenant.ListAccessReviewItems(ctx, id, &tenant.ListAccessReviewItemsParams{Cursor: cursor, Limit: ptr(200)}))
		return l.Items, l.Next, err
	})
}

func (a *tool) reviewShow() *cobra.Command {
	c := &cobra.Command{Use: "show REVIEW", Short: "What a review is about, and what was decided", Args: exactly("the review, by its name or id")}
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		r, err := u.review(ctx, args[0])
		if err != nil {
			return err
		}
		items, err := u.reviewItems(ctx, r.Id)
		if err != nil {
			return err
		}
		out := struct {
			tenant.AccessReview
			Grants []tenant.AccessReviewItem `json:"grants"`
		}{r, items}
		return a.result(out, func(w io.Writer) {
			fmt.Fprintf(w, "%s is %s: %d of %d decided, until %s; what nobody decides on is %s.\n", r.Name, r.Status, r.Decided, r.Items, when(r.Deadline),
				map[tenant.AccessReviewDefault]string{"keep": "kept", "revoke": "revoked"}[r.Undecided])
			t := show.NewTable("who", "role", "in", "last used", "decision", "by", "item")
			for _, i := range items {
				said := string(value(i.Decision))
				if i.Outcome != nil {
					said = string(*i.Outcome)
				}
				t.Row(i.Principal.Name, i.RoleName, within(i.Project, i.Api, i.Environment), when(value(i.LastUsedAt)), said, value(i.DecidedBy), i.Id)
			}
			t.Write(w, "It is about nothing.")
		})
	})
	return c
}

// reviewDecide is keep or revoke.
func (a *tool) reviewDecide(decision tenant.AccessReviewDefault) *cobra.Command {
	var why string
	var rest bool
	verb, done := string(decision), map[tenant.AccessReviewDefault]string{"keep": "kept", "revoke": "revoked"}[decision]
	c := &cobra.Command{
		Use:     verb + " REVIEW [ITEM...]",
		Short:   map[string]string{"keep": "Decide that somebody keeps what they have", "revoke": "Decide that somebody loses what they have, when the review ends"}[verb],
		Example: "  gatehouse access review " + verb + " \"First quarter\" lena@example.com --comment \"left the team\"\n  gatehouse access review " + verb + " \"First quarter\" --undecided",
		Long:    "Items are named by their id, or by who has the grant: then all that they have in the review. What is decided is carried out when the review ends, and can be changed until then.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 || rest == (len(args) > 1) {
				return usage("name the review, and then items or, with --undecided, none")
			}
			return nil
		},
	}
	c.Flags().StringVarP(&why, "comment", "m", "", "why")
	c.Flags().BoolVar(&rest, "undecided", false, "all that nobody has decided on")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		u, err := a.suite()
		if err != nil {
			return err
		}
		r, err := u.review(ctx, args[0])
		if err != nil {
			return err
		}
		in := tenant.AccessReviewDecisions{Decision: decision}
		if why != "" {
			in.Comment = &why
		}
		if rest {
			in.AllUndecided = ptr(true)
		} else {
			ids, err := u.itemsNamed(ctx, r.Id, args[1:])
			if err != nil {
				return err
			}
			in.Items = &ids
		}
		x, err := answer[tenant.AccessReviewDecided](u.tenant.DecideAccessReview(ctx, r.Id, in))
		if err != nil {
			return err
		}
		return a.result(x, func(w io.Writer) {
			fmt.Fprintf(w, "%d to be %s when %s ends.\n", x.Decided, done, r.Name)
			if x.Own > 0 {
				fmt.Fprintf(w, "%d are your own and left to other reviewers.\n", x.Own)
			}
		})
	})
	return c
}

// itemsNamed finds items of a review by their ids, or by who has the grant.
func (s *suite) itemsNamed(ctx context.Context, review string, refs []string) ([]string, error) {
	items, err := s.reviewItems(ctx, review)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, ref := range refs {
		who := ""
		if p, err := s.principal(ctx, ref); err == nil && p != nil {
			who = *p
		}
		before, names := len(out), []string{}
		for _, i := range items {
			names = append(names, i.Principal.Name)
			if i.Id == ref || i.Principal.Id == who || strings.EqualFold(i.Principal.Name, ref) {
				out = append(out, i.Id)
			}
		}
		if len(out) == before {
			return nil, missing("item of this review", ref, names)
		}
	}
	return out, nil
}
