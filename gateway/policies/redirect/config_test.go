package redirect_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/redirect"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, redirect.Definition()) }
