package requestid_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/requestid"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, requestid.Definition()) }
