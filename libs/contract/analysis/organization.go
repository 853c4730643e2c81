package analysis

import (
	"github.com/gatehouse/gatehouse/libs/contract"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// Export asks for a part of all that an organization has here.
type Export struct{ tenant.Portion }

// Subject is the request's.
func (Export) Subject() string { return contract.Request(Service, "export") }

// Reply is the type of the answer.
func (Export) Reply() (r tenant.Exported) { return }
