package gateway

import (
	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// Holdings asks how much of what it owns an organization has.
type Holdings struct {
	Organization string `json:"organization"`
}

// Subject is the request's.
func (Holdings) Subject() string { return contract.Request(Service, "holdings") }

// Reply is the type of the answer.
func (Holdings) Reply() (r tenant.Counts) { return }

// Export asks for a part of all that an organization has here.
type Export struct{ tenant.Portion }

// Subject is the request's.
func (Export) Subject() string { return contract.Request(Service, "export") }

// Reply is the type of the answer.
func (Export) Reply() (r tenant.Exported) { return }
