package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// setupSteps in the order in which they are best taken.
var setupSteps = []string{"second-factor", "second-owner", "mail", "project", "domain", "sso", "provisioning", "security-policy", "audit-receiver"}

// ListSetupSteps says what there is to set up, and what is done.
func (h *Handlers) ListSetupSteps(ctx context.Context, _ ListSetupStepsRequestObject) (ListSetupStepsResponseObject, error) {
	if err := authn.Require(ctx, "organization:read", authn.Scope{}); err != nil {
		return nil, err
	}
	list, err := h.setupSteps(ctx, h.mine(ctx))
	return ListSetupSteps200JSONResponse(list), err
}

func (h *Handlers) setupSteps(ctx context.Context, org *store.Org) (SetupStepList, error) {
	done, err := h.setUp(ctx, org)
	if err != nil {
		return SetupStepList{}, err
	}
	skips, err := org.SetupSkips(ctx)
	if err != nil {
		return SetupStepList{}, err
	}
	ids := []string{}
	for _, s := range skips {
		ids = append(ids, s.CreatedBy)
	}
	called, err := names(ctx, org, ids)
	out := SetupStepList{Items: make([]SetupStep, len(setupSteps))}
	for i, name := range setupSteps {
		skip, skipped := skips[name]
		out.Items[i] = SetupStep{Step: SetupStepName(name), Done: done[name], Skipped: skipped}
		if skipped {
			out.Items[i].SkippedAt, out.Items[i].SkippedBy = utc(&skip.CreatedAt), ptr(called[skip.CreatedBy])
		}
		if !done[name] && !skipped {
			out.Open++
		}
	}
	return out, err
}

// setUp returns which steps are done, by what is there.
func (h *Handlers) setUp(ctx context.Context, org *store.Org) (map[string]bool, error) {
	out := map[string]bool{}
	owners, err := org.Owners(ctx, "", "")
	if err != nil {
		return nil, err
	}
	held, err := rights.Holdings(ctx, org, owners...)
	if err != nil {
		return nil, err
	}
	owners = slices.DeleteFunc(owners, func(o string) bool { return !access.IsOwner(held[o], h.store.Now()) })
	factors, err := org.HasFactors(ctx, owners...)
	if err != nil {
		return nil, err
	}
	out["second-factor"], out["second-owner"] = len(factors) > 0, len(owners) > 1
	_, mails, err := h.opt.Mail.Settings(ctx, h.store)
	if err != nil {
		return nil, err
	}
	if mails {
		if out["mail"], err = org.AnyMailSent(ctx); err == nil && !out["mail"] {
			out["mail"], err = org.Happened(ctx, "mail-settings.tested")
		}
		if err != nil {
			return nil, err
		}
	}
	// Projects are another service's: what is known of them here is that somebody has
	// a role in one, or that the trail has it.
	if out["project"], err = org.AnyProjectGrant(ctx); err == nil && !out["project"] {
		out["project"], err = org.Happened(ctx, "project.created")
	}
	if err != nil {
		return nil, err
	}
	if out["domain"], err = org.AnyVerifiedDomain(ctx); err != nil {
		return nil, err
	}
	connections, err := org.SSOConnections(ctx)
	if err != nil {
		return nil, err
	}
	out["sso"] = slices.ContainsFunc(connections, func(c store.SSOConnection) bool { return c.Enabled })
	directories, err := org.SCIMDirectories(ctx)
	if err != nil {
		return nil, err
	}
	out["provisioning"] = slices.ContainsFunc(directories, func(d store.SCIMDirectory) bool { return d.Enabled && d.LastUsedAt != nil })
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return nil, err
	}
	out["security-policy"] = policy.ID != ""
	receivers, err := org.AuditReceivers(ctx)
	out["audit-receiver"] = slices.ContainsFunc(receivers, func(r store.AuditReceiver) bool { return r.Enabled && r.SentAt != nil })
	return out, err
}

// skippedStep is what the audit trail says of a step.
type skippedStep struct {
	Step    string `json:"step"`
	Skipped bool   `json:"skipped"`
}

// SetSetupStep leaves a step out, or takes it up again.
func (h *Handlers) SetSetupStep(ctx context.Context, r SetSetupStepRequestObject) (SetSetupStepResponseObject, error) {
	if err := authn.Require(ctx, "organization:update", authn.Scope{}); err != nil {
		return nil, err
	}
	name := string(r.Step)
	err := h.change(ctx, func(tx *store.Tx) error {
		changed, err := tx.SkipSetup(ctx, name, r.Body.Skipped)
		if err != nil || !changed {
			return err
		}
		action := "organization.setup-step-resumed"
		if r.Body.Skipped {
			action = "organization.setup-step-skipped"
		}
		return h.record(ctx, tx, action, "organization", tx.ID(), name, skippedStep{name, !r.Body.Skipped}, skippedStep{name, r.Body.Skipped})
	})
	if err != nil {
		return nil, err
	}
	list, err := h.setupSteps(ctx, h.mine(ctx))
	for _, s := range list.Items {
		if string(s.Step) == name {
			return SetSetupStep200JSONResponse(s), err
		}
	}
	return nil, err
}
