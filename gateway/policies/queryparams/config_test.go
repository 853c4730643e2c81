package queryparams_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/queryparams"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, queryparams.Definition()) }
