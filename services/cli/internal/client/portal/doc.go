// Package portal is the client of devportal-backend's API, as far as the command needs it. It
// is generated from the service's OpenAPI document.
package portal

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config codegen.yaml ../../../../devportal-backend/openapi.yaml
