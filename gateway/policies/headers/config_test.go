package headers_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/headers"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, headers.Definition()) }
