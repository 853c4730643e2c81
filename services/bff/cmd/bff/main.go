// Command bff is the back end of the browser apps.
package main

import (
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/bff"
)

func main() { service.Main(bff.Name, bff.DefaultConfig(), bff.Part, bff.Docs) }
