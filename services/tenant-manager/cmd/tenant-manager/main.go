// Command tenant-manager runs the tenant-manager service.
package main

import (
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/service"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

func main() {
	service.MainWith(
		tenant.Service, tenantmanager.DefaultConfig(), tenantmanager.Part,
		[]service.Command[tenantmanager.Config]{tenantmanager.RecoverCommand(), tenantmanager.PasswordsCommand()}, tenantmanager.Docs,
	)
}
