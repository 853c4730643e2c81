// Command devportal-backend runs the service behind the developer portal.
package main

import (
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/service"
	devportal "github.com/gatehouse/gatehouse/services/devportal-backend"
)

func main() {
	service.Main(portal.Service, devportal.DefaultConfig(), devportal.Part, devportal.Docs)
}
