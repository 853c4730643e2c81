package bodylimit_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/bodylimit"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, bodylimit.Definition()) }
