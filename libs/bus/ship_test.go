package bus

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
)

func TestShipmentsGoWhereTheContractSays(t *testing.T) {
	t.Parallel()
	require.Equal(t, analysis.TrafficStream, streamTraffic)
	require.Equal(t, analysis.TrafficSubject, trafficPrefix)
}
