// Command gateway-manager keeps APIs and brings them to the gateways.
package main

import (
	"github.com/gatehouse/gatehouse/libs/service"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
)

func main() {
	service.Main("gateway-manager", gatewaymanager.DefaultConfig(), gatewaymanager.Part, gatewaymanager.Docs)
}
