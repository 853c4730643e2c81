package datamask_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/datamask"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, datamask.Definition()) }
