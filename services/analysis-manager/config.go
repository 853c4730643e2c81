package analysismanager

import (
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/searchstore"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sqlstore"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Config is the configuration of analysis-manager.
type Config struct {
	service.Config
	// Retention says how long traffic is kept.
	Retention Retention `json:"retention,omitzero"`
	// Search keeps traffic in Elasticsearch or OpenSearch, in place of the
	// database, which is then not needed.
	Search Search `json:"search,omitzero"`
}

// Search is a cluster of Elasticsearch 8 or later, or of OpenSearch 2 or later.
type Search struct {
	// URLs are addresses of nodes, such as https://search:9200. Without one,
	// traffic is kept in the database.
	URLs []string `json:"urls,omitempty"`
	// Username identifies the service; the default is none.
	Username string `json:"username,omitempty"`
	// Password is that of the user.
	Password schema.Secret `json:"password,omitzero"`
	// APIKey identifies the service, in place of a username.
	APIKey schema.Secret `json:"apiKey,omitzero"`
	// CA is a file with the certificates, in PEM, that the cluster's is checked
	// against; the default are the system's.
	CA string `json:"ca,omitempty"`
	// Prefix begins the names of indices; the default is gatehouse.
	Prefix string `json:"prefix,omitempty" schema:"pattern=^[a-z][a-z0-9-]{0,40}$"`
	// Shards are those of the index of each day; the default is 1.
	Shards int `json:"shards,omitempty" schema:"min=0,max=100"`
	// Replicas are the copies of each shard; the default is 0.
	Replicas int `json:"replicas,omitempty" schema:"min=0,max=5"`
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
	var fields []problem.Field
	add := func(pointer, detail string) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: schema.RuleInvalid, Detail: detail})
	}
	if c.Retention.Hours < c.Retention.Minutes {
		add("/retention/hours", "hours must be kept at least as long as minutes")
	}
	for i, u := range c.Search.URLs {
		if p, err := url.Parse(u); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" || p.User != nil {
			add(fmt.Sprintf("/search/urls/%d", i), "write an address such as https://search:9200, with the credentials in username and password")
		}
	}
	if c.Search.APIKey.IsSet() && c.Search.Username != "" {
		add("/search/apiKey", "give an API key or a username, not both")
	}
	return fields
}

// store opens the store that the configuration names.
func (c *Config) store(d *db.DB) (store.Store, error) {
	if len(c.Search.URLs) == 0 {
		return sqlstore.New(d)
	}
	o := searchstore.Options{
		URLs: c.Search.URLs, Username: c.Search.Username, Password: c.Search.Password.Reveal(), APIKey: c.Search.APIKey.Reveal(),
		Prefix: c.Search.Prefix, Shards: c.Search.Shards, Replicas: c.Search.Replicas,
	}
	if c.Search.CA != "" {
		pem, err := os.ReadFile(c.Search.CA)
		if err != nil {
			return nil, fmt.Errorf("loading the certificates of the search cluster: %w", err)
		}
		o.CA = pem
	}
	return searchstore.New(o)
}

// minutes is the age up to which usage can be seen by the minute: with a search
// cluster as long as there are records, since sums are made of them.
func (c *Config) minutes() time.Duration {
	if len(c.Search.URLs) > 0 {
		return time.Duration(c.Retention.Records)
	}
	return time.Duration(c.Retention.Minutes)
}
