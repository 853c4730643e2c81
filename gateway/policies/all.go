// Package policies is the list of the policy types that ship with Gatehouse. A
// custom gateway is a main package of a few lines that appends its own.
package policies

import (
	"github.com/gatehouse/gatehouse/gateway/policies/acl"
	"github.com/gatehouse/gatehouse/gateway/policies/apikey"
	"github.com/gatehouse/gatehouse/gateway/policies/concurrencylimit"
	"github.com/gatehouse/gatehouse/gateway/policies/cors"
	"github.com/gatehouse/gatehouse/gateway/policies/headers"
	"github.com/gatehouse/gatehouse/gateway/policies/ipfilter"
	"github.com/gatehouse/gatehouse/gateway/policies/queryparams"
	"github.com/gatehouse/gatehouse/gateway/policies/quota"
	"github.com/gatehouse/gatehouse/gateway/policies/ratelimit"
	"github.com/gatehouse/gatehouse/gateway/policies/requestid"
	"github.com/gatehouse/gatehouse/gateway/policies/spikearrest"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// All returns every policy type, in the order of their folders.
func All() []policy.Definition {
	return []policy.Definition{
		acl.Definition(),
		apikey.Definition(),
		concurrencylimit.Definition(),
		cors.Definition(),
		headers.Definition(),
		ipfilter.Definition(),
		queryparams.Definition(),
		quota.Definition(),
		ratelimit.Definition(),
		requestid.Definition(),
		spikearrest.Definition(),
	}
}
