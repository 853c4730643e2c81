// Package tenant is the client of tenant-manager's API, as far as the command needs it. It
// is generated from the service's OpenAPI document.
package tenant

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../../../tenant-manager/openapi.yaml
