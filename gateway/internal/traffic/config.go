package traffic

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var SchemaDoc

// Config is the log section of the gateway's file. The zero value writes
// nothing, keeps decisions in memory, and redacts.
type Config struct {
	// Traffic writes records as JSON lines.
	Traffic FileConfig `json:"traffic,omitzero"`
	// Spool keeps records on disk until they have been delivered.
	Spool SpoolConfig `json:"spool,omitzero"`
	// RequestHeaders names header fields of requests to record.
	RequestHeaders []string `json:"requestHeaders,omitempty"`
	// ResponseHeaders names header fields of answers to record.
	ResponseHeaders []string `json:"responseHeaders,omitempty"`
	// Redact names what is secret besides what always is.
	Redact Redact `json:"redact,omitzero"`
	// Sample is the share of requests answered below 400 that is recorded; the
	// default is 1. Others are recorded always.
	Sample *float64 `json:"sample,omitempty" schema:"min=0,max=1"`
	// ClientIP says how client addresses are recorded: full, truncate (to /24
	// and /48) or omit. The default is full.
	ClientIP string `json:"clientIp,omitempty" schema:"enum=full|truncate|omit"`
	// Subject says how subjects of tokens are recorded: hash, plain or omit. The
	// default is hash: HMAC-SHA-256 with SubjectKey, 32 hex digits.
	Subject string `json:"subject,omitempty" schema:"enum=hash|plain|omit"`
	// SubjectKey is the key of that hash, the same on all gateways, best as
	// env:NAME or file:PATH. Without one each start makes its own, and hashes of
	// one subject differ from start to start.
	SubjectKey schema.Secret `json:"subjectKey,omitzero"`
	// Decisions says which decisions are kept.
	Decisions Decisions `json:"decisions,omitzero"`
}

// FileConfig says where JSON lines are written.
type FileConfig struct {
	// Path is a file, or stdout; "" = nowhere.
	Path string `json:"path,omitempty"`
	// Rotate says when a file is put aside.
	Rotate Rotate `json:"rotate,omitzero"`
	// Flush is how long a record may wait in memory; the default is 100ms. A
	// gateway that is killed loses what waits.
	Flush unit.Duration `json:"flush,omitempty"`
	// Buffer bounds the memory of records that wait for a slow disk; the
	// default is 16MiB. Beyond it records are dropped and counted.
	Buffer schema.Bytes `json:"buffer,omitempty"`
}

// Rotate says when a file is put aside as PATH.TIME, and how many are kept.
type Rotate struct {
	// Size puts the file aside when it is so large; 0 = never.
	Size schema.Bytes `json:"size,omitempty"`
	// Every puts the file aside when it is so old; 0 = never.
	Every unit.Duration `json:"every,omitempty"`
	// Keep is how many files are kept besides the current one; the default is 7.
	Keep int `json:"keep,omitempty" schema:"min=0"`
}

// SpoolConfig says where records wait for delivery, and where to.
type SpoolConfig struct {
	// Dir is a directory of this gateway alone; "" = no spool.
	Dir string `json:"dir,omitempty"`
	// MaxBytes bounds the disk used; the default is 1GiB. Beyond it the oldest
	// records are dropped, counted and reported.
	MaxBytes schema.Bytes `json:"maxBytes,omitempty"`
	// Flush is how long a record may wait in memory; the default is 500ms. A
	// gateway that is killed loses what waits.
	Flush unit.Duration `json:"flush,omitempty"`
	// Sync is how often written records are forced to the disk; the default is
	// 1s. Only a crash of the machine loses what was written and not forced.
	Sync unit.Duration `json:"sync,omitempty"`
	// Buffer bounds the memory of records that wait for the disk; the default is
	// 16MiB.
	Buffer schema.Bytes `json:"buffer,omitempty"`
	// URL takes POSTs of gzipped JSON lines.
	URL string `json:"url,omitempty" schema:"format=uri"`
	// Headers are sent with each POST, such as Authorization, best as env:NAME or
	// file:PATH.
	Headers map[string]schema.Secret `json:"headers,omitempty"`
	// Timeout bounds one POST; the default is 30s.
	Timeout unit.Duration `json:"timeout,omitempty"`
}

// Redact names what is secret besides what always is: Authorization, cookies,
// and whatever is named like a key, token, secret, password or signature.
type Redact struct {
	// Headers are header fields.
	Headers []string `json:"headers,omitempty"`
	// Parameters are query parameters, form fields and JSON members.
	Parameters []string `json:"parameters,omitempty"`
}

// Decisions says which decisions are kept. Those of refused and failed requests
// always are.
type Decisions struct {
	// Keep is how many of the newest are kept in memory; the default is 1000.
	Keep int `json:"keep,omitempty" schema:"min=0"`
	// Sample is the share of the other requests whose decision is kept.
	Sample float64 `json:"sample,omitempty" schema:"min=0,max=1"`
}

// Defaults returns c with the defaults in place of what is not set.
func (c Config) Defaults() Config {
	set(&c.Traffic.Flush, unit.Duration(100*time.Millisecond))
	set(&c.Traffic.Buffer, 16<<20)
	set(&c.Traffic.Rotate.Keep, 7)
	set(&c.Spool.MaxBytes, 1<<30)
	set(&c.Spool.Flush, unit.Duration(500*time.Millisecond))
	set(&c.Spool.Sync, unit.Duration(time.Second))
	set(&c.Spool.Buffer, 16<<20)
	set(&c.Spool.Timeout, unit.Duration(30*time.Second))
	set(&c.ClientIP, "full")
	set(&c.Subject, "hash")
	set(&c.Decisions.Keep, 1000)
	if c.Sample == nil {
		one := 1.0
		c.Sample = &one
	}
	return c
}

func set[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Validate returns every field at fault. Pointers are relative to the section.
func (c Config) Validate() []problem.Field {
	c = c.Defaults()
	var fields []problem.Field
	bad := func(pointer, code, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	least := func(pointer string, v, min schema.Bytes) {
		if v < min {
			bad(pointer, "minimum", fmt.Sprintf("must be at least %d bytes", min))
		}
	}
	if c.Traffic.Path == "stdout" && (c.Traffic.Rotate.Size != 0 || c.Traffic.Rotate.Every != 0) {
		bad("/traffic/rotate", "invalid", "stdout cannot be rotated; name a file in path, or remove rotate")
	}
	if c.Traffic.Rotate.Size != 0 {
		least("/traffic/rotate/size", c.Traffic.Rotate.Size, 64<<10)
	}
	if e := c.Traffic.Rotate.Every; e != 0 && e < unit.Duration(time.Second) {
		bad("/traffic/rotate/every", "minimum", "must be at least 1s")
	}
	if c.Traffic.Rotate.Keep < 0 {
		bad("/traffic/rotate/keep", "minimum", "must not be negative")
	}
	least("/traffic/buffer", c.Traffic.Buffer, 1<<20)
	if c.Spool.Dir != "" {
		least("/spool/maxBytes", c.Spool.MaxBytes, 1<<20)
		least("/spool/buffer", c.Spool.Buffer, 1<<20)
		if u, err := url.Parse(c.Spool.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("/spool/url", "format", "must be an http or https address that takes the records")
		}
	} else if c.Spool.URL != "" {
		bad("/spool/dir", "required", "name the directory in which records wait for delivery")
	}
	for name, v := range c.Spool.Headers {
		if !policy.ValidName(name) || !policy.ValidValue(v.Reveal()) {
			bad("/spool/headers/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), "format", "is no valid header field")
		}
	}
	for pointer, list := range map[string][]string{
		"/requestHeaders": c.RequestHeaders, "/responseHeaders": c.ResponseHeaders, "/redact/headers": c.Redact.Headers,
	} {
		for i, name := range list {
			if !policy.ValidName(name) {
				bad(pointer+"/"+strconv.Itoa(i), "format", fmt.Sprintf("%q is no header field name", name))
			}
		}
	}
	if s := *c.Sample; !(s >= 0 && s <= 1) {
		bad("/sample", "range", "must be between 0 and 1")
	}
	if s := c.Decisions.Sample; !(s >= 0 && s <= 1) {
		bad("/decisions/sample", "range", "must be between 0 and 1")
	}
	if c.Decisions.Keep < 0 || c.Decisions.Keep > 1e6 {
		bad("/decisions/keep", "range", "must be between 0 and 1000000")
	}
	if !slices.Contains([]string{"full", "truncate", "omit"}, c.ClientIP) {
		bad("/clientIp", "enum", "must be full, truncate or omit")
	}
	if !slices.Contains([]string{"hash", "plain", "omit"}, c.Subject) {
		bad("/subject", "enum", "must be hash, plain or omit")
	}
	slices.SortFunc(fields, func(a, b problem.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return fields
}
