// Package api is the HTTP edge of devportal-backend: it reads requests, asks
// whether the caller may, calls the store and the rules, and writes answers as
// openapi.yaml says. It holds no rule of its own and no SQL.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../openapi.yaml
