// Package api is the HTTP edge of tenant-manager: it takes requests in as
// openapi.yaml says, asks the rules and the store, and answers. It knows no SQL.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../openapi.yaml
