// Command policy-manager runs the service of policies, policy sets and plans.
package main

import (
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/service"
	policymanager "github.com/gatehouse/gatehouse/services/policy-manager"
)

func main() {
	service.Main(contract.Service, policymanager.DefaultConfig(), policymanager.Part, policymanager.Docs)
}
