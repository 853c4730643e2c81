// Package example is what a service's internal/api looks like, for the tests of
// httpx and service.
package example

import _ "embed"

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml openapi.yaml

// Document is the API.
//
//go:embed openapi.yaml
var Document []byte
