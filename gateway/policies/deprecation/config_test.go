package deprecation_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/deprecation"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, deprecation.Definition()) }
