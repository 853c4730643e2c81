// Command analysis-manager takes in traffic records and answers what happened.
package main

import (
	"github.com/gatehouse/gatehouse/libs/service"
	analysismanager "github.com/gatehouse/gatehouse/services/analysis-manager"
)

func main() {
	service.Main("analysis-manager", analysismanager.DefaultConfig(), analysismanager.Part, analysismanager.Docs)
}
