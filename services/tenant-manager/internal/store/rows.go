package store

import (
	"cmp"
	"time"

	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
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
	// DeletedAt is nil while it is not deleted; it can be restored until PurgeAt.
	DeletedAt, PurgeAt *time.Time
	// WasSuspended is what Suspended was before it was deleted.
	WasSuspended bool
	// Purging says that its rows are going.
	Purging bool
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
	// ProofsAfter is when the user was signed out everywhere: nothing that they proved
	// before it lets them in any more. nil = never.
	ProofsAfter *time.Time
	// BreakGlass says that the security policy cannot lock this owner out.
	BreakGlass bool
	// Language is in which they are written to; "" = they chose none.
	Language string
	// Source is where the user comes from: see [Local]. SecondFactor is whether they
	// have set one up. Both follow what is in other tables, for lists.
	Source       string
	SecondFactor bool
	// Seen is LastSignInAt in milliseconds since 1970, 0 = never: what a list is
	// sorted by.
	Seen int64
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
	// AuthTime is when the user proved who they are to begin the session, and
	// AMR by which methods (factor.Methods). They are what the claims auth_time
	// and amr say of a signed-in user (OpenID Connect Core section 2). Sessions
	// of before have neither.
	AuthTime *time.Time
	AMR      string `gorm:"column:amr"`
	// ConfirmedAt is when they last proved it again.
	ConfirmedAt *time.Time
	// Pending is what has still to be done before the session is good for
	// anything else; "" = nothing.
	Pending string
	// SSOConnectionID is the single sign-on by which it began, "" where that was none.
	SSOConnectionID string `gorm:"column:sso_connection_id"`
	// SSOSid is the hash of the session at the identity provider of which it came;
	// "" = the provider names none.
	SSOSid string `gorm:"column:sso_sid"`
	// ImpersonatorID is who acts as the user, ImpersonatorName their name, and
	// ImpersonatorSession the session of their own by which they do; "" where it is
	// the user's own session.
	ImpersonatorID, ImpersonatorName, ImpersonatorSession string
	// Proven are accounts in other organizations in which the password was right too.
	Proven []Proven `gorm:"serializer:json;not null"`
	// ParentID is the session that this one came of by OpenID Connect, and Client the app
	// of the product that it is at; "" where it began by itself. One that came of another
	// is never what a third one came of.
	ParentID, Client string
	// SwitchedFrom is the sign-in, in another organization, that the user switched from;
	// "" = they did not.
	SwitchedFrom string
}

// SignIn returns the id of the session by which somebody signed in: the one that this
// came of, or itself.
func (s Session) SignIn() string { return cmp.Or(s.ParentID, s.ID) }

// Proven is an account that a password was right for.
type Proven struct {
	OrganizationID string `json:"o"`
	UserID         string `json:"u"`
	// Password tells whether the password is still the one of then: a part of the
	// hash of what is kept of it.
	Password string `json:"p"`
}

// PendingFactor is a session of somebody who has still to set up a second factor.
const PendingFactor = "factor"

// Authenticated returns when the user proved who they are to begin the session.
func (s Session) Authenticated() time.Time {
	if s.AuthTime == nil {
		return s.CreatedAt
	}
	return *s.AuthTime
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
	// SSOConnectionID is the single sign-on by whose groups it was given; "" = by hand.
	SSOConnectionID string `gorm:"column:sso_connection_id"`
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
	Stored   `gorm:"embedded"`
	Email    string
	EmailKey string
	Name     string
	Roles    []InvitedRole `gorm:"serializer:json"`
	// GroupIDs are the groups that they are put into.
	GroupIDs   []string `gorm:"column:group_ids;serializer:json"`
	TokenHash  string
	ExpiresAt  time.Time
	AcceptedAt *time.Time
	AcceptedBy string
	// Language is in which who is invited is written to; "" = nobody said.
	Language string
	// WithdrawnAt is when it was taken back, because whoever made it was disabled or
	// deleted.
	WithdrawnAt *time.Time
}

// ServiceAccount is an account of a program.
type ServiceAccount struct {
	Stored      `gorm:"embedded"`
	Name        string
	NameKey     string
	Description string
	Status      string
}

// Token is what every token that stands for somebody has.
type Token struct {
	ID             string
	OrganizationID string
	Name           string
	Hash           string
	Hint           string
	// Permissions are patterns of what it is made for; none = all that its owner
	// may do.
	Permissions []string `gorm:"serializer:json"`
	// ProjectID and EnvironmentID narrow it; "" = all.
	ProjectID     string
	EnvironmentID string
	ExpiresAt     *time.Time
	LastUsedAt    *time.Time
	// LastUsedFrom is the address that it was last used from.
	LastUsedFrom string
	CreatedAt    time.Time
	CreatedBy    string
}

// Boundary returns what the token is made for. ok is false where that is all that
// its owner may do.
func (k Token) Boundary() (b access.Boundary, ok bool) {
	b = access.Boundary{Permissions: k.Permissions, Scope: access.Scope{Project: k.ProjectID, Environment: k.EnvironmentID}}
	if len(b.Permissions) == 0 {
		b.Permissions = []string{"*", access.Platform + ":*"}
	}
	return b, len(k.Permissions) > 0 || b.Scope != access.Scope{}
}

// ServiceToken is a token of a service account.
type ServiceToken struct {
	Token            `gorm:"embedded"`
	ServiceAccountID string
}

// PersonalToken is a token of a user. It always ends.
type PersonalToken struct {
	Token  `gorm:"embedded"`
	UserID string
}

// Ends returns when the token is no longer accepted: when it was made to end, or
// when the policy, as it is now, ends it.
func (k PersonalToken) Ends(p SecurityPolicy) time.Time {
	end := k.CreatedAt
	if !p.PersonalTokens {
		return end
	}
	end = end.AddDate(0, 0, p.PersonalTokenDays)
	if k.ExpiresAt != nil && k.ExpiresAt.Before(end) {
		end = *k.ExpiresAt
	}
	return end
}

// Factor is what a user proves themselves with beside the password.
type Factor struct {
	ID             string
	OrganizationID string
	UserID         string
	// Kind is factor.TOTP or factor.Passkey.
	Kind string
	Name string
	// Secret is the shared secret of an authenticator app, or a passkey as
	// factor.Key keeps it.
	Secret secret.Text
	// LastStep is the last time step whose code was used.
	LastStep int64
	// CredentialHash and RelyingParty are a passkey's.
	CredentialHash *string
	RelyingParty   string
	// ConfirmedAt is nil while it is being set up.
	ConfirmedAt *time.Time
	LastUsedAt  *time.Time
	CreatedAt   time.Time
}

// RecoveryCode is a code for who has lost their factors. Only its hash is kept.
type RecoveryCode struct {
	ID             string
	OrganizationID string
	UserID         string
	Hash           string
	UsedAt         *time.Time
	CreatedAt      time.Time
}

// Challenge is a step that was begun and waits for its answer. Only the hash of
// what names it is kept.
type Challenge struct {
	ID             string
	OrganizationID string
	UserID         string
	Purpose        string
	Hash           string
	// AMR is by which methods the user proved who they are so far.
	AMR string `gorm:"column:amr"`
	// Data is what the answer is checked with.
	Data string
	// SSOConnectionID is the single sign-on by which it was begun.
	SSOConnectionID string `gorm:"column:sso_connection_id"`
	// SSOSid is as that of a [Session].
	SSOSid string `gorm:"column:sso_sid"`
	// Proven are accounts in other organizations in which the password was right too,
	// and AuthTime is when that was; nil = now.
	Proven   []Proven `gorm:"serializer:json;not null"`
	AuthTime *time.Time
	// SwitchedFrom is as that of a [Session].
	SwitchedFrom string
	// ProofsAfter is what that of the [User] was when the first step was right.
	ProofsAfter *time.Time
	ExpiresAt   time.Time
	CreatedAt   time.Time
}

// OrganizationMark is an organization that somebody wants at hand, or used.
type OrganizationMark struct {
	ID             string
	OrganizationID string
	UserID         string
	// TargetID is the organization that is meant.
	TargetID    string
	FavouriteAt *time.Time
	UsedAt      *time.Time
}

// SecurityPolicy is what an organization asks of those who sign in. 0 = no bound
// of its own.
type SecurityPolicy struct {
	Stored            `gorm:"embedded"`
	PasswordMinLength int
	// MFA is one of MFAOff, MFAAdministrators and MFAEveryone.
	MFA          string `gorm:"column:mfa"`
	MFAGraceDays int    `gorm:"column:mfa_grace_days"`
	// MFASince is when a second factor began to be asked for.
	MFASince             *time.Time `gorm:"column:mfa_since"`
	SessionIdleMinutes   int
	SessionLifetimeHours int
	AllowedAddresses     []string `gorm:"serializer:json"`
	TokenLifetimeDays    int
	// PersonalTokens says that people may have tokens, and PersonalTokenDays how
	// long those last at most.
	PersonalTokens    bool
	PersonalTokenDays int
	// ServiceTokens says that service accounts may have tokens.
	ServiceTokens bool
	// Impersonation says that who may act as others does so.
	Impersonation bool
	// LockoutTries is how many wrong passwords cost nothing, LockoutFirstSeconds the
	// wait after the next one, which doubles, and LockoutLongestMinutes its bound.
	LockoutTries          int
	LockoutFirstSeconds   int
	LockoutLongestMinutes int
}

// PersonalTokenDays is how long people's tokens last at most, where the policy
// does not say.
const PersonalTokenDays = 365

// Of whom a second factor is asked.
const (
	MFAOff            = "off"
	MFAAdministrators = "administrators"
	MFAEveryone       = "everyone"
)

// PasswordRequest is a user who asked for a new password.
type PasswordRequest struct {
	ID             string
	OrganizationID string
	UserID         string
	IP             string
	CreatedAt      time.Time
}
