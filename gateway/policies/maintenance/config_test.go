package maintenance_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/maintenance"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, maintenance.Definition()) }
