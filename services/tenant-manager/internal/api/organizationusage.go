package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// askLimit bounds asking a service how much there is: a screen waits.
const askLimit = 3 * time.Second

// quotasOf shows limits; nil where there are none.
func quotasOf(q tenant.Quotas) (*Quotas, error) {
	if len(q) == 0 {
		return nil, nil //nolint:nilnil // none is no error
	}
	raw, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("showing limits: %w", err)
	}
	var out Quotas
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("showing limits: %w", err)
	}
	return &out, nil
}

// usage asks all owners how much an organization has. What one does not answer is
// left out.
func (h *Handlers) usage(ctx context.Context, organization string) (OrganizationUsage, error) {
	out := OrganizationUsage{Items: []UsageItem{}}
	mine, err := h.store.For(organization).Holdings(ctx)
	if err != nil {
		return out, err
	}
	quotas, err := h.store.Quotas(ctx, organization)
	if err != nil {
		return out, err
	}
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	ask := func(owner string, question func() (tenant.Counts, error), also func(tenant.Counts)) {
		all.Go(func() {
			c, err := question()
			if err != nil {
				h.kit.Log.WarnContext(ctx, "how much an organization has is not known whole", "owner", owner, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(mine.Counts, c.Counts)
			also(c)
		})
	}
	ask(gateway.Service, func() (tenant.Counts, error) {
		return bus.Ask(limited, h.kit.Bus, gateway.Holdings{Organization: organization})
	}, func(c tenant.Counts) { out.ServedApis = &c.Served })
	ask(policy.Service, func() (tenant.Counts, error) {
		return bus.Ask(limited, h.kit.Bus, policy.Holdings{Organization: organization})
	}, func(tenant.Counts) {})
	ask(portal.Service, func() (tenant.Counts, error) {
		return bus.Ask(limited, h.kit.Bus, portal.Holdings{Organization: organization})
	}, func(c tenant.Counts) { out.ActiveApplications = &c.Consumers })
	all.Wait()
	for _, r := range tenant.Resources() {
		item := UsageItem{Resource: UsageItemResource(r)}
		if n, known := mine.Counts[r]; known {
			item.Used = &n
		}
		if n, isLimited := quotas[organization][r]; isLimited {
			item.Limit = &n
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// GetOrganizationUsage says how much the caller's organization has.
func (h *Handlers) GetOrganizationUsage(ctx context.Context, _ GetOrganizationUsageRequestObject) (GetOrganizationUsageResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	out, err := h.usage(ctx, caller(ctx).Organization)
	return GetOrganizationUsage200JSONResponse(out), err
}

// GetPlatformOrganizationUsage says how much an organization has.
func (h *Handlers) GetPlatformOrganizationUsage(ctx context.Context, r GetPlatformOrganizationUsageRequestObject) (GetPlatformOrganizationUsageResponseObject, error) {
	if _, err := h.platform(ctx, "platform:read"); err != nil {
		return nil, err
	}
	o, err := h.store.For(r.Id).Organization(ctx)
	if err != nil {
		return nil, err
	}
	out, err := h.usage(ctx, o.ID)
	return GetPlatformOrganizationUsage200JSONResponse(out), err
}
