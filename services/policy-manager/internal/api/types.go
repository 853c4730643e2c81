package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
)

// ListPolicyTypes implements the operation.
func (h *Handlers) ListPolicyTypes(context.Context, ListPolicyTypesRequestObject) (ListPolicyTypesResponseObject, error) {
	out := PolicyTypeList{Items: make([]PolicyTypeSummary, 0, len(h.Types.All()))}
	for _, t := range h.Types.All() {
		out.Items = append(out.Items, PolicyTypeSummary{
			Type: t.Name, Title: t.Title, Description: t.Description, Category: PolicyTypeSummaryCategory(t.Category), Icon: t.Icon,
			Phases: phases[PolicyTypeSummaryPhases](t), Authenticates: set(t.Authenticates),
		})
	}
	return ListPolicyTypes200JSONResponse(out), nil
}

func phases[T ~string](t *catalogue.Type) []T {
	out := make([]T, len(t.Phases))
	for i, p := range t.Phases {
		out[i] = T(p)
	}
	return out
}

// GetPolicyType implements the operation.
func (h *Handlers) GetPolicyType(_ context.Context, r GetPolicyTypeRequestObject) (GetPolicyTypeResponseObject, error) {
	t, ok := h.Types.Get(r.Type)
	if !ok {
		return nil, problem.New(problem.CodeNotFound, "there is no policy type %q%s", r.Type, schema.Suggest(r.Type, h.Types.Names()))
	}
	return GetPolicyType200JSONResponse{
		Type: t.Name, Title: t.Title, Description: t.Description, Category: PolicyTypeCategory(t.Category), Icon: t.Icon,
		Phases: phases[PolicyTypePhases](t), Authenticates: set(t.Authenticates),
		Schema: t.Schema.JSON(), Defaults: t.Defaults, Example: t.Example, Docs: t.Docs,
	}, nil
}
