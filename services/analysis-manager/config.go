package analysismanager

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Config is the configuration of analysis-manager.
type Config struct {
	service.Config
	// Retention says how long traffic is kept.
	Retention Retention `json:"retention,omitzero"`
}

// Retention says how long traffic is kept.
type Retention struct {
	// Records is how long single requests can be searched and explained.
	Records schema.Duration `json:"records" schema:"min=1h,max=3660d"`
	// Minutes is how long usage can be seen by the minute.
	Minutes schema.Duration `json:"minutes" schema:"min=1h,max=3660d"`
	// Hours is how long usage can be seen by the hour and the day.
	Hours schema.Duration `json:"hours" schema:"min=1h,max=3660d"`
}

const day = schema.Duration(24 * time.Hour)

// DefaultConfig returns the values of what a file leaves out.
func DefaultConfig() Config {
	return Config{Config: service.DefaultConfig(), Retention: Retention{Records: 7 * day, Minutes: 14 * day, Hours: 400 * day}}
}

// Validate checks what the form does not say.
func (c *Config) Validate() []problem.Field {
	if c.Retention.Hours < c.Retention.Minutes {
		return []problem.Field{{Pointer: "/retention/hours", Code: schema.RuleInvalid, Detail: "hours must be kept at least as long as minutes"}}
	}
	return nil
}
