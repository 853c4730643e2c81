package cors_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/cors"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, cors.Definition()) }
