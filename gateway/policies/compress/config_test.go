package compress_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/compress"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, compress.Definition()) }
