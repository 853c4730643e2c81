// Package api is the HTTP API of gateway-manager: it turns requests into calls
// of the store and of the packages with the rules, checks what the caller may
// do, and knows no SQL.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../openapi.yaml
