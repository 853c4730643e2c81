package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/subscription"
)

// Subscription is an application's right to use a plan. The names are those of
// the time when it was made.
type Subscription struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	ApplicationID  string
	APIID          string `gorm:"column:api_id"`
	APIName        string `gorm:"column:api_name"`
	APISlug        string `gorm:"column:api_slug"`
	PlanID         string
	PlanName       string
	ProjectID      string
	Status         subscription.Status
	// OpenKey is there while the subscription is not over: it holds the place of
	// application and plan.
	OpenKey   *string
	Message   string
	History   JSON[[]subscription.Change]
	Version   int64
	CreatedAt time.Time
	CreatedBy string
	UpdatedAt time.Time
}

// TableName is for gorm.
func (Subscription) TableName() string { return "subscriptions" }

// SubscriptionFilter narrows a list of subscriptions.
type SubscriptionFilter struct {
	Reader
	API, Application, Plan string
	Status                 subscription.Status
}

// Append takes in a change of state.
func (r *Subscription) Append(c subscription.Change) {
	r.Status = c.Status
	r.History.V = append(r.History.V, c)
	if !c.Status.Open() {
		r.OpenKey = nil
		return
	}
	key := r.ApplicationID + "/" + r.PlanID
	r.OpenKey = &key
}

// CreateSubscription writes a new subscription. The error is [db.ErrDuplicate]
// where the application has one to the plan that is not over.
func CreateSubscription(ctx context.Context, s *db.Scope, r *Subscription) error {
	if err := db.Create(ctx, s, r); err != nil {
		return fmt.Errorf("creating a subscription: %w", err)
	}
	return nil
}

// SaveSubscription writes the state.
func SaveSubscription(ctx context.Context, s *db.Scope, r *Subscription) error {
	return db.Save(ctx, s, r, "status", "open_key", "history")
}

// FindSubscription returns a subscription, or [db.ErrNotFound].
func FindSubscription(ctx context.Context, s *db.Scope, id string, lock bool) (Subscription, error) {
	q := db.From[Subscription](s)
	if lock {
		q = q.Lock()
	}
	return q.Get(ctx, id)
}

// ListSubscriptions returns a page of subscriptions, the newest first unless
// asked otherwise.
func ListSubscriptions(ctx context.Context, s *db.Scope, f SubscriptionFilter, page db.PageRequest) (db.Page[Subscription], error) {
	q := db.From[Subscription](s)
	if f.Owner != "" {
		q = q.In("application_id", db.From[Application](s).Where("owner_id = ?", f.Owner).Column("id"))
	}
	if f.Projects != nil {
		q = q.Where("project_id IN ?", some(f.Projects))
	}
	for _, c := range []struct{ condition, value string }{ // in one order, so that cursors find the same query
		{"api_id = ?", f.API}, {"application_id = ?", f.Application}, {"plan_id = ?", f.Plan}, {"status = ?", string(f.Status)},
	} {
		if c.value != "" {
			q = q.Where(c.condition, c.value)
		}
	}
	if page.Sort == "" {
		page.Sort, page.Descending = "created_at", true
	}
	return q.Page(ctx, page, "created_at", "updated_at", "status")
}

// SubscriptionsOf returns the subscriptions of an application that are not over.
func SubscriptionsOf(ctx context.Context, s *db.Scope, application string) ([]Subscription, error) {
	return db.From[Subscription](s).Where("application_id = ?", application).Where("open_key IS NOT NULL").Order("created_at", false).All(ctx)
}

// Subscribers counts the subscriptions to an API or a plan.
func Subscribers(ctx context.Context, s *db.Scope, api, plan string) (active, pending, applications int64, err error) {
	q := db.From[Subscription](s).Where("open_key IS NOT NULL")
	if api != "" {
		q = q.Where("api_id = ?", api)
	}
	if plan != "" {
		q = q.Where("plan_id = ?", plan)
	}
	var rows []struct {
		Status subscription.Status
		N      int64
	}
	if err := q.Aggregate(ctx, &rows, "status, count(*) AS n", "status"); err != nil {
		return 0, 0, 0, fmt.Errorf("counting subscribers: %w", err)
	}
	for _, r := range rows {
		if r.Status == subscription.Pending {
			pending += r.N
		} else {
			active += r.N // a paused one comes back
		}
	}
	var distinct []int64
	if err := q.Aggregate(ctx, &distinct, "count(DISTINCT application_id)", ""); err != nil {
		return 0, 0, 0, fmt.Errorf("counting subscribers: %w", err)
	}
	if len(distinct) > 0 {
		applications = distinct[0]
	}
	return active, pending, applications, nil
}
