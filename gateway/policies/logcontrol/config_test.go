package logcontrol_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/logcontrol"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, logcontrol.Definition()) }
