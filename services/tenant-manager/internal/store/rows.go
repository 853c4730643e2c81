package store

import (
	"time"

	"github.com/gatehouse/gatehouse/libs/secret"
)

// Stored is what every row that people change has.
type Stored struct {
	ID             string
	OrganizationID string
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// stored returns the fields of a new row.
func (t *Tx) stored() Stored {
	now := t.store.Now()
	return Stored{ID: NewID(), Version: 1, CreatedAt: now, CreatedBy: t.by, UpdatedAt: now}
}

// Organization is a tenant.
type Organization struct {
	Stored    `gorm:"embedded"`
	Slug      string
	Name      string
	Suspended bool
}

// The statuses of users and service accounts.
const (
	Active   = "active"
	Disabled = "disabled"
	// Deleted users are kept without their name and address, because others
	// refer to them.
	Deleted = "deleted"
)

// User is a person.
type User struct {
	Stored       `gorm:"embedded"`
	Email        string
	EmailKey     *string
	Name         string
	NameKey      string
	Status       string
	SetupPending bool
	PasswordHash string
	LastSignInAt *time.Time
}

// Session is a signing in of a user.
type Session struct {
	ID             string
	OrganizationID string
	UserID         string
	// RefreshKey makes the refresh tokens of the session.
	RefreshKey secret.Text
	// Generation is that of the refresh token that is good now.
	Generation int64
	RotatedAt  time.Time
	IP         string
	UserAgent  string
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
	EndedAt    *time.Time
}

// Open reports whether the session has neither ended nor run out.
func (s Session) Open(now time.Time) bool { return s.EndedAt == nil && now.Before(s.ExpiresAt) }

// Role is a custom role.
type Role struct {
	Stored      `gorm:"embedded"`
	Name        string
	Title       string
	Description string
	Permissions []string `gorm:"serializer:json"`
}

// The effects of grants.
const (
	Allow = "allow"
	Deny  = "deny"
)

// Grant is a role that a user, service account or group has, or whose permissions
// are denied to them.
type Grant struct {
	Stored        `gorm:"embedded"`
	PrincipalID   string
	PrincipalKind string
	// RoleID is that of a custom role, or the name of a built-in one.
	RoleID        string
	ProjectID     string
	APIID         string `gorm:"column:api_id"`
	EnvironmentID string
	ExpiresAt     *time.Time
	// Effect is Allow or Deny; "" is written as Allow.
	Effect string
}

// Group is a group of users, service accounts and other groups.
type Group struct {
	Stored      `gorm:"embedded"`
	Name        string
	NameKey     string
	Description string
	// Parents is in how many groups it is itself.
	Parents int64
}

// TableName is for gorm.
func (Group) TableName() string { return "principal_groups" }

// GroupMember is somebody in a group.
type GroupMember struct {
	ID             string
	OrganizationID string
	GroupID        string
	MemberID       string
	MemberKind     string
	CreatedAt      time.Time
	CreatedBy      string
}

// Boundary is a role that somebody can never exceed.
type Boundary struct {
	Stored        `gorm:"embedded"`
	PrincipalID   string
	PrincipalKind string
	RoleID        string
}

// AccessRequest is somebody's asking for a role.
type AccessRequest struct {
	Stored        `gorm:"embedded"`
	PrincipalID   string
	PrincipalKind string
	RoleID        string
	ProjectID     string
	APIID         string `gorm:"column:api_id"`
	EnvironmentID string
	Reason        string
	// Minutes is for how long; 0 = for good.
	Minutes int64
	// Status is Pending, Approved, Refused or Withdrawn.
	Status    string
	DecidedBy string
	DecidedAt *time.Time
	// Note is what was said with the decision.
	Note string
	// GrantID is the grant that an approved one became.
	GrantID string
}

// InvitedRole is a role that an invitation gives.
type InvitedRole struct {
	Role    string `json:"role"`
	Project string `json:"project,omitempty"`
}

// Invitation is a link by which somebody comes in.
type Invitation struct {
	Stored     `gorm:"embedded"`
	Email      string
	EmailKey   string
	Name       string
	Roles      []InvitedRole `gorm:"serializer:json"`
	TokenHash  string
	ExpiresAt  time.Time
	AcceptedAt *time.Time
	AcceptedBy string
}

// ServiceAccount is an account of a program.
type ServiceAccount struct {
	Stored      `gorm:"embedded"`
	Name        string
	NameKey     string
	Description string
	Status      string
}

// ServiceToken is a token of a service account.
type ServiceToken struct {
	ID               string
	OrganizationID   string
	ServiceAccountID string
	Name             string
	Hash             string
	Hint             string
	ExpiresAt        *time.Time
	LastUsedAt       *time.Time
	CreatedAt        time.Time
	CreatedBy        string
}
