package pathrewrite_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/pathrewrite"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, pathrewrite.Definition()) }
