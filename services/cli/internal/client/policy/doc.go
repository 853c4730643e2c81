// Package policy is the client of policy-manager's API, as far as the command needs it. It
// is generated from the service's OpenAPI document.
package policy

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../../../policy-manager/openapi.yaml
