// Package policies is the list of the policy types that ship with Gatehouse. A
// custom gateway is a main package of a few lines that appends its own.
package policies

import (
	"github.com/gatehouse/gatehouse/gateway/policies/acl"
	"github.com/gatehouse/gatehouse/gateway/policies/apikey"
	"github.com/gatehouse/gatehouse/gateway/policies/basicauth"
	"github.com/gatehouse/gatehouse/gateway/policies/bodylimit"
	"github.com/gatehouse/gatehouse/gateway/policies/cache"
	"github.com/gatehouse/gatehouse/gateway/policies/circuitbreaker"
	"github.com/gatehouse/gatehouse/gateway/policies/compress"
	"github.com/gatehouse/gatehouse/gateway/policies/concurrencylimit"
	"github.com/gatehouse/gatehouse/gateway/policies/cors"
	"github.com/gatehouse/gatehouse/gateway/policies/datamask"
	"github.com/gatehouse/gatehouse/gateway/policies/deprecation"
	"github.com/gatehouse/gatehouse/gateway/policies/fault"
	"github.com/gatehouse/gatehouse/gateway/policies/headers"
	"github.com/gatehouse/gatehouse/gateway/policies/hmacsignature"
	"github.com/gatehouse/gatehouse/gateway/policies/injectionfilter"
	"github.com/gatehouse/gatehouse/gateway/policies/ipfilter"
	"github.com/gatehouse/gatehouse/gateway/policies/jsonthreat"
	"github.com/gatehouse/gatehouse/gateway/policies/jwt"
	"github.com/gatehouse/gatehouse/gateway/policies/logcontrol"
	"github.com/gatehouse/gatehouse/gateway/policies/maintenance"
	"github.com/gatehouse/gatehouse/gateway/policies/mirror"
	"github.com/gatehouse/gatehouse/gateway/policies/mock"
	"github.com/gatehouse/gatehouse/gateway/policies/mtls"
	"github.com/gatehouse/gatehouse/gateway/policies/oauth2introspection"
	"github.com/gatehouse/gatehouse/gateway/policies/openapivalidation"
	"github.com/gatehouse/gatehouse/gateway/policies/pathrewrite"
	"github.com/gatehouse/gatehouse/gateway/policies/queryparams"
	"github.com/gatehouse/gatehouse/gateway/policies/quota"
	"github.com/gatehouse/gatehouse/gateway/policies/ratelimit"
	"github.com/gatehouse/gatehouse/gateway/policies/redirect"
	"github.com/gatehouse/gatehouse/gateway/policies/requestid"
	"github.com/gatehouse/gatehouse/gateway/policies/retry"
	"github.com/gatehouse/gatehouse/gateway/policies/spikearrest"
	"github.com/gatehouse/gatehouse/gateway/policies/timeout"
	"github.com/gatehouse/gatehouse/gateway/policies/trafficsplit"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// All returns every policy type, in the order of their folders.
func All() []policy.Definition {
	return []policy.Definition{
		acl.Definition(),
		apikey.Definition(),
		basicauth.Definition(),
		bodylimit.Definition(),
		cache.Definition(),
		circuitbreaker.Definition(),
		compress.Definition(),
		concurrencylimit.Definition(),
		cors.Definition(),
		datamask.Definition(),
		deprecation.Definition(),
		fault.Definition(),
		headers.Definition(),
		hmacsignature.Definition(),
		injectionfilter.Definition(),
		ipfilter.Definition(),
		jsonthreat.Definition(),
		jwt.Definition(),
		logcontrol.Definition(),
		maintenance.Definition(),
		mirror.Definition(),
		mock.Definition(),
		mtls.Definition(),
		oauth2introspection.Definition(),
		openapivalidation.Definition(),
		pathrewrite.Definition(),
		queryparams.Definition(),
		quota.Definition(),
		ratelimit.Definition(),
		redirect.Definition(),
		requestid.Definition(),
		retry.Definition(),
		spikearrest.Definition(),
		timeout.Definition(),
		trafficsplit.Definition(),
	}
}
