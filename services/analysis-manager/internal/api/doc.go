// Package api is analysis-manager's REST API: it turns requests into questions
// to the store and answers into documents. It knows no database.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../openapi.yaml
