package mock_test

import (
	"testing"

	"github.com/gatehouse/gatehouse/gateway/policies/mock"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

func FuzzConfig(f *testing.F) { policytest.FuzzConfig(f, mock.Definition()) }
