package store

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
)

// Stored is what every thing has that clients change.
type Stored struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// Organization is what is known of a tenant, and what all its gateways share.
type Organization struct {
	ID        string `gorm:"primaryKey"`
	Slug      string
	Name      string
	Suspended bool
	// Settings are the shared policies as policy-manager said last, as JSON; ""
	// = it has not said anything yet.
	Settings secret.Text
	// SettingsWanted rises whenever they may have changed, SettingsDone is what it
	// was when they were asked for.
	SettingsWanted, SettingsDone int64
	// UnitsEpoch names the life of the bucket that the units were written to.
	UnitsEpoch string
	CreatedAt  time.Time
}

// Project is a team's workspace.
type Project struct {
	Stored      `gorm:"embedded"`
	Slug        string
	Name        string
	Description string
	// SearchText is what the row is searched by.
	SearchText string
}

// Environment is an ordered stage.
type Environment struct {
	Stored     `gorm:"embedded"`
	Slug       string
	Name       string
	Position   int
	Production bool
	// Sequence rises with every change of what is deployed.
	Sequence int64
	// SearchText is what the row is searched by.
	SearchText string
}

// Group is a gateway group.
type Group struct {
	Stored        `gorm:"embedded"`
	Slug          string
	Name          string
	EnvironmentID string
	Visibility    string
	// Projects are the ids of those it serves; none = all.
	Projects  JSON[[]string]
	PublicURL string
	// Epoch and ManifestVersion are those of the newest manifest.
	Epoch           string
	ManifestVersion int64
	PublishedAt     *time.Time
	// Wanted rises with every change that is to be published; what it was when the
	// newest manifest was made is Done.
	Wanted, Done int64
	// Problem says why publishing does not succeed.
	Problem string
	// SearchText is what the row is searched by.
	SearchText string
}

// TableName is for gorm.
func (Group) TableName() string { return "gateway_groups" }

// Serves says whether APIs of a project are deployed to the group.
func (g *Group) Serves(project string) bool {
	if len(g.Projects.V) == 0 {
		return true
	}
	for _, p := range g.Projects.V {
		if p == project {
			return true
		}
	}
	return false
}

// JoinToken lets gateways join a group.
type JoinToken struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	GroupID        string
	Name           string
	// Hash is the SHA-256 of the token, which has more than 200 random bits.
	Hash       string
	Last4      string
	CreatedAt  time.Time
	CreatedBy  string
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
}

// Gateway is a running instance as it reported last.
type Gateway struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	GroupID        string
	Name           string
	// Instance is made anew at each of its starts.
	Instance   string
	Build      string
	Listeners  JSON[[]string]
	CreatedAt  time.Time
	StartedAt  time.Time
	LastSeenAt time.Time
	// Stopped says that it told us that it stops.
	Stopped bool
	// Announced is the state that others were told last.
	Announced      string
	Epoch          string
	AppliedVersion int64
	APIs           int `gorm:"column:apis"`
	Issues         JSON[[]gateway.Issue]
	InFlight       int64
	Requests       int64
	Memory         int64
	ClockSkewMS    int64
	// SearchText is what the row is searched by.
	SearchText string
}

// ManifestKey is an Ed25519 key that manifests are signed with.
type ManifestKey struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	// PublicKey is in base64.
	PublicKey string
	// PrivateKey is the seed.
	PrivateKey secret.Text
	CreatedAt  time.Time
}

// Document is an OpenAPI document.
type Document struct {
	OrganizationID string `gorm:"primaryKey"`
	Hash           string `gorm:"primaryKey"`
	// Body is canonical JSON, compressed with zstd.
	Body      []byte
	Size      int64
	CreatedAt time.Time
}

// API is an API as it is being edited.
type API struct {
	Stored      `gorm:"embedded"`
	ProjectID   string
	Slug        string
	Name        string
	APIVersion  string
	Description string
	BasePath    string
	Hosts       JSON[[]string]
	StripPath   bool
	Paths       JSON[unit.Paths]
	// Upstreams is JSON; it may hold private keys.
	Upstreams      secret.Text
	Published      bool
	Deprecated     bool
	DocumentHash   string
	DocumentFormat string
	DocumentTitle  string
	DocumentSize   int64
	OperationCount int
	// DraftHash and EffectiveVersion name what the draft is now, LatestDraft and
	// LatestEffective what it was at the latest revision.
	DraftHash        string
	EffectiveVersion string
	LatestRevision   int64
	LatestDraft      string
	LatestEffective  string
	// DeployedCount is in how many environments it is deployed.
	DeployedCount int
	// SearchText is what the row is searched by.
	SearchText string
}

// TableName is for gorm.
func (API) TableName() string { return "apis" }

// Operations are those of an API's draft. The id is the API's.
type Operations struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	Operations     JSON[[]document.Operation]
}

// TableName is for gorm.
func (Operations) TableName() string { return "api_operations" }

// PlanName is a plan of a revision, for showing.
type PlanName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Revision is an immutable numbered state of an API.
type Revision struct {
	ID               string `gorm:"primaryKey"`
	OrganizationID   string
	APIID            string `gorm:"column:api_id"`
	Number           int64
	Hash             string
	Message          string
	CreatedAt        time.Time
	CreatedBy        string
	Name             string
	APIVersion       string
	BasePath         string
	OperationCount   int
	PolicyCount      int
	Plans            JSON[[]PlanName]
	DocumentHash     string
	DraftHash        string
	EffectiveVersion string
	// Content is the revision.Content as JSON, compressed with zstd.
	Content secret.Text
}

// Deployed is which revision of an API is to be served in an environment.
type Deployed struct {
	ID              string `gorm:"primaryKey"`
	OrganizationID  string
	EnvironmentID   string
	APIID           string `gorm:"column:api_id"`
	ProjectID       string
	Revision        int64 // 0 = none any more
	DeploymentID    string
	EnvironmentName string
	UnitHash        string
	// Sequence is the environment's at its last change.
	Sequence  int64
	UpdatedAt time.Time
}

// TableName is for gorm.
func (Deployed) TableName() string { return "deployed" }

// Route is a host and base path of what is deployed.
type Route struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	EnvironmentID  string
	APIID          string `gorm:"column:api_id"`
	ProjectID      string
	Host           string
	BasePath       string
	RouteHash      string
}

// Deployment is what was deployed where, and how it went.
type Deployment struct {
	ID               string `gorm:"primaryKey"`
	OrganizationID   string
	APIID            string `gorm:"column:api_id"`
	APIName          string
	ProjectID        string
	EnvironmentID    string
	EnvironmentName  string
	Action           string
	Revision         int64
	PreviousRevision int64
	State            string
	Message          string
	Problem          string
	CreatedAt        time.Time
	CreatedBy        string
	LiveAt           *time.Time
}

// DeploymentGroup is a gateway group that a deployment went to.
type DeploymentGroup struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	DeploymentID   string
	GroupID        string
	// Wanted is the group's at that time.
	Wanted int64
	// ManifestVersion and Epoch are of the manifest that has it; 0 = not published.
	ManifestVersion int64
	Epoch           string
}

// The states of a deployment.
const (
	Publishing = "publishing"
	Applying   = "applying"
	Live       = "live"
	Failed     = "failed"
	Superseded = "superseded"
)

// The actions of deployments.
const (
	ActionDeploy   = "deploy"
	ActionUndeploy = "undeploy"
)
