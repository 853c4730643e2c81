package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

type planRow struct {
	ID             string
	OrganizationID string
	APIID          string `gorm:"column:api_id"`
	ProjectID      string
	Slug           string
	Name           string
	Description    string
	Security       string
	SecurityConfig secret.Text
	Approval       string
	Limits         string
	Policies       secret.Text
	WhenExpression string
	Status         string
	Position       int64
	PublishedAt    *time.Time
	ClosedAt       *time.Time
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (planRow) TableName() string { return "plans" }

func planRowOf(p *plan.Plan) (planRow, error) {
	limits, err := json.Marshal(p.Limits)
	if err != nil {
		return planRow{}, fmt.Errorf("writing limits: %w", err)
	}
	list, err := encode(p.Policies)
	return planRow{
		ID: p.ID, APIID: p.API, ProjectID: p.Project, Slug: p.Slug, Name: p.Name, Description: p.Description,
		Security: p.Security, SecurityConfig: secret.NewText(string(p.SecurityConfig)), Approval: p.Approval,
		Limits: string(limits), Policies: list, WhenExpression: p.When, Status: p.Status, Position: p.Position,
		PublishedAt: p.PublishedAt, ClosedAt: p.ClosedAt, Version: p.Version, CreatedAt: p.CreatedAt,
		CreatedBy: p.CreatedBy, UpdatedAt: p.UpdatedAt,
	}, err
}

func (r *planRow) plan() (plan.Plan, error) {
	p := plan.Plan{
		ID: r.ID, API: r.APIID, Project: r.ProjectID, Slug: r.Slug, Name: r.Name, Description: r.Description,
		Security: r.Security, Approval: r.Approval, When: r.WhenExpression, Status: r.Status, Position: r.Position,
		PublishedAt: r.PublishedAt, ClosedAt: r.ClosedAt, Version: r.Version, CreatedAt: r.CreatedAt,
		CreatedBy: r.CreatedBy, UpdatedAt: r.UpdatedAt,
	}
	if c := r.SecurityConfig.Reveal(); c != "" {
		p.SecurityConfig = json.RawMessage(c)
	}
	if err := json.Unmarshal([]byte(r.Limits), &p.Limits); err != nil {
		return p, fmt.Errorf("reading the limits of plan %s: %w", r.ID, err)
	}
	return p, decode(r.Policies, &p.Policies)
}

func plansOf(rows []planRow) ([]plan.Plan, error) {
	out := make([]plan.Plan, len(rows))
	var err error
	for i := range rows {
		if out[i], err = rows[i].plan(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Plans returns the plans of an API in their order.
func (o *Organization) Plans(ctx context.Context, api string) ([]plan.Plan, error) {
	rows, err := db.From[planRow](o.scope).Where("api_id = ?", api).Order("position", false).Order("id", false).All(o.with(ctx))
	if err != nil {
		return nil, err
	}
	return plansOf(rows)
}

// PlansByID returns plans; those that are not there are left out.
func (o *Organization) PlansByID(ctx context.Context, ids []string) ([]plan.Plan, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := db.From[planRow](o.scope).Where("id IN ?", ids).Order("api_id", false).Order("position", false).Order("id", false).All(o.with(ctx))
	if err != nil {
		return nil, err
	}
	return plansOf(rows)
}

// Plan returns a plan. Within a transaction others cannot change it until the
// end.
func (o *Organization) Plan(ctx context.Context, id string) (plan.Plan, error) {
	q := db.From[planRow](o.scope)
	if o.tx != nil {
		q = q.Lock()
	}
	r, err := q.Get(o.with(ctx), id)
	if err != nil {
		return plan.Plan{}, err
	}
	return r.plan()
}

// CreatePlan keeps a new plan, as the last of its API, and tells others.
func (o *Organization) CreatePlan(ctx context.Context, p *plan.Plan) error {
	ctx = o.with(ctx)
	var last []int64
	err := db.From[planRow](o.scope).Where("api_id = ?", p.API).Aggregate(ctx, &last, "COALESCE(MAX(position), 0)", "")
	if err != nil {
		return err
	}
	p.Position = 1
	if len(last) > 0 {
		p.Position += last[0]
	}
	now := o.Now()
	p.ID, p.Version, p.CreatedAt, p.UpdatedAt = newID(), 1, now, now
	row, err := planRowOf(p)
	if err != nil {
		return err
	}
	if err := db.Create(ctx, o.scope, &row); err != nil {
		return err
	}
	return o.planChanged(ctx, p)
}

func (o *Organization) planChanged(ctx context.Context, p *plan.Plan) error {
	var uses []Use
	for _, slug := range policies.Sets(p.Policies) {
		uses = append(uses, Use{Slug: slug, Level: "plan", Project: p.Project, API: p.API, Plan: p.ID})
	}
	if err := o.setUses(ctx, p.ID, uses); err != nil {
		return err
	}
	return o.tell(API, p.Project, p.API)
}

// SavePlan keeps what may change of a plan that still has its version, and tells
// others.
func (o *Organization) SavePlan(ctx context.Context, p *plan.Plan) error {
	ctx = o.with(ctx)
	row, err := planRowOf(p)
	if err != nil {
		return err
	}
	err = db.Save(ctx, o.scope, &row, "name", "description", "security", "security_config", "approval", "limits",
		"policies", "when_expression", "status", "position", "published_at", "closed_at", "project_id")
	if err != nil {
		return err
	}
	p.Version, p.UpdatedAt = row.Version, row.UpdatedAt
	return o.planChanged(ctx, p)
}

// OrderPlans gives the plans of an API the positions in which they are handed
// in, and tells others where that changes anything.
func (o *Organization) OrderPlans(ctx context.Context, plans []plan.Plan) error {
	changed := false
	for i := range plans {
		at := int64(i + 1)
		if plans[i].Position == at {
			continue
		}
		changed = true
		plans[i].Position = at
		if _, err := db.From[planRow](o.scope).Where("id = ?", plans[i].ID).Update(ctx, db.Changes{"position": at}); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return o.tell(API, plans[0].Project, plans[0].API)
}

// DeletePlan deletes a plan that has the version, and tells others.
func (o *Organization) DeletePlan(ctx context.Context, p *plan.Plan, version int64) error {
	if err := db.Remove[planRow](ctx, o.scope, p.ID, version); err != nil {
		return err
	}
	if err := o.setUses(ctx, p.ID, nil); err != nil {
		return err
	}
	return o.tell(API, p.Project, p.API)
}
