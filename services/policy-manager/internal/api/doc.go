// Package api is the edge of policy-manager: the operations of openapi.yaml,
// with their permissions, on top of the rules and the store. It knows nothing
// of SQL.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../openapi.yaml
