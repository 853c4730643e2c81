package catalogue

// look is how a type is shown.
type look struct {
	category Category
	icon     string
}

// looks has the types that ship with Gatehouse.
var looks = map[string]look{
	"acl":                  {Security, "list-checks"},
	"api-key":              {Security, "key-round"},
	"basic-auth":           {Security, "user-lock"},
	"body-limit":           {Validation, "ruler"},
	"cache":                {Traffic, "database-zap"},
	"circuit-breaker":      {Resilience, "zap-off"},
	"compress":             {Transformation, "file-archive"},
	"concurrency-limit":    {Traffic, "layers"},
	"cors":                 {Security, "globe-lock"},
	"data-mask":            {Transformation, "eye-off"},
	"deprecation":          {Observability, "calendar-x"},
	"fault":                {Resilience, "bug"},
	"headers":              {Transformation, "heading"},
	"hmac-signature":       {Security, "signature"},
	"injection-filter":     {Security, "shield-alert"},
	"ip-filter":            {Security, "network"},
	"json-threat":          {Security, "braces"},
	"jwt":                  {Security, "badge-check"},
	"log-control":          {Observability, "scroll-text"},
	"maintenance":          {Traffic, "construction"},
	"mirror":               {Traffic, "copy"},
	"mock":                 {Transformation, "drama"},
	"mtls":                 {Security, "file-badge"},
	"oauth2-introspection": {Security, "scan-eye"},
	"openapi-validation":   {Validation, "file-check"},
	"path-rewrite":         {Transformation, "route"},
	"query-params":         {Transformation, "text-search"},
	"quota":                {Traffic, "chart-pie"},
	"rate-limit":           {Traffic, "gauge"},
	"redirect":             {Transformation, "corner-up-right"},
	"request-id":           {Observability, "fingerprint"},
	"retry":                {Resilience, "refresh-cw"},
	"spike-arrest":         {Traffic, "activity"},
	"timeout":              {Resilience, "timer"},
	"traffic-split":        {Traffic, "split"},
}
