package scim

import (
	"strings"
)

// The schemas of resources (RFC 7643 section 10.3).
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// The types of attributes (RFC 7643 section 2.3).
const (
	String    = "string"
	Boolean   = "boolean"
	DateTime  = "dateTime"
	Reference = "reference"
	Complex   = "complex"
	Binary    = "binary"
)

// Attribute is an attribute of a schema (RFC 7643 section 7).
type Attribute struct {
	Name, Type, Description string
	// Sub are those of complex attributes.
	Sub []Attribute
	// Multi says that there may be several values.
	Multi bool
	// Required, CaseExact and ReadOnly are as the RFC has them; Unique says that no
	// other resource of the directory may have the same.
	Required, CaseExact, ReadOnly, Unique bool
	// Kinds are the canonical values.
	Kinds []string
	// To are the types of resources that a reference leads to.
	To []string
}

// Schema describes a resource, or a part of one.
type Schema struct {
	ID, Name, Description string
	Attributes            []Attribute
}

// Type is a type of resources (RFC 7643 section 6).
type Type struct {
	Name, Endpoint, Description string
	Core                        Schema
	// Extension is one that resources may have; the zero value is none.
	Extension Schema
}

func text(name, description string) Attribute {
	return Attribute{Name: name, Type: String, Description: description}
}

func several(name, description, of string, kinds ...string) Attribute {
	return Attribute{Name: name, Type: Complex, Multi: true, Description: description, Sub: []Attribute{
		{Name: "value", Type: of, Description: "The value."},
		text("display", "A name for it."),
		{Name: "type", Type: String, Description: "What it is for.", Kinds: kinds},
		{Name: "primary", Type: Boolean, Description: "Whether it is the preferred one."},
	}}
}

// User is the type of users (RFC 7643 sections 4.1 and 4.3).
func User() Type {
	return Type{
		Name: "User", Endpoint: "/Users", Description: "A user of the organization",
		Core: Schema{ID: UserSchema, Name: "User", Description: "A user", Attributes: []Attribute{
			{Name: "userName", Type: String, Required: true, Unique: true, Description: "The name at the identity provider; an e-mail address is the user's."},
			{Name: "name", Type: Complex, Description: "The name in its parts.", Sub: []Attribute{
				text("formatted", "The whole name."), text("familyName", "The family name."), text("givenName", "The given name."),
				text("middleName", "The middle name."), text("honorificPrefix", "The title."), text("honorificSuffix", "The suffix."),
			}},
			text("displayName", "The name that people read."),
			text("nickName", "What the user is called."),
			{Name: "profileUrl", Type: Reference, To: []string{"external"}, Description: "The address of a profile."},
			text("title", "The title in the company."), text("userType", "How the user belongs to the company."),
			text("preferredLanguage", "The preferred language."), text("locale", "The locale."), text("timezone", "The time zone."),
			{Name: "active", Type: Boolean, Description: "Whether the user may sign in."},
			several("emails", "E-mail addresses.", String, "work", "home", "other"),
			several("phoneNumbers", "Telephone numbers.", String, "work", "home", "mobile", "fax", "pager", "other"),
			several("ims", "Addresses for instant messages.", String),
			{Name: "photos", Type: Complex, Multi: true, Description: "Addresses of pictures.", Sub: []Attribute{
				{Name: "value", Type: Reference, To: []string{"external"}, Description: "The address."},
				text("display", "A name for it."),
				{Name: "type", Type: String, Description: "What it is for.", Kinds: []string{"photo", "thumbnail"}},
				{Name: "primary", Type: Boolean, Description: "Whether it is the preferred one."},
			}},
			{Name: "addresses", Type: Complex, Multi: true, Description: "Postal addresses.", Sub: []Attribute{
				text("formatted", "The whole address."), text("streetAddress", "The street."), text("locality", "The town."), text("region", "The region."),
				text("postalCode", "The postal code."), text("country", "The country."),
				{Name: "type", Type: String, Description: "What it is for.", Kinds: []string{"work", "home", "other"}},
				{Name: "primary", Type: Boolean, Description: "Whether it is the preferred one."},
			}},
			{Name: "groups", Type: Complex, Multi: true, ReadOnly: true, Description: "The groups of this directory that the user is in.", Sub: []Attribute{
				{Name: "value", Type: String, ReadOnly: true, Description: "The group's id."},
				{Name: "$ref", Type: Reference, ReadOnly: true, To: []string{"Group"}, Description: "The group's address."},
				{Name: "display", Type: String, ReadOnly: true, Description: "The group's name."},
				{Name: "type", Type: String, ReadOnly: true, Description: "Whether the user is in it directly.", Kinds: []string{"direct"}},
			}},
			several("entitlements", "What the user is entitled to. It gives no permissions.", String),
			several("roles", "Roles at the identity provider. They give no permissions.", String),
			several("x509Certificates", "Certificates.", Binary),
		}},
		Extension: Schema{ID: EnterpriseSchema, Name: "EnterpriseUser", Description: "A user as a member of a company", Attributes: []Attribute{
			text("employeeNumber", "The number in the company."), text("costCenter", "The cost center."), text("organization", "The organization."),
			text("division", "The division."), text("department", "The department."),
			{Name: "manager", Type: Complex, Description: "The manager.", Sub: []Attribute{
				text("value", "The manager's id."),
				{Name: "$ref", Type: Reference, To: []string{"User"}, Description: "The manager's address."},
				{Name: "displayName", Type: String, Description: "The manager's name."},
			}},
		}},
	}
}

// Group is the type of groups (RFC 7643 section 4.2).
func Group() Type {
	return Type{
		Name: "Group", Endpoint: "/Groups", Description: "A group of users and groups",
		Core: Schema{ID: GroupSchema, Name: "Group", Description: "A group", Attributes: []Attribute{
			{Name: "displayName", Type: String, Required: true, Unique: true, Description: "The name."},
			{Name: "members", Type: Complex, Multi: true, Description: "Who is in it.", Sub: []Attribute{
				{Name: "value", Type: String, CaseExact: true, Description: "The member's id."},
				{Name: "$ref", Type: Reference, To: []string{"User", "Group"}, Description: "The member's address."},
				{Name: "type", Type: String, Description: "What the member is.", Kinds: []string{"User", "Group"}},
			}},
		}},
	}
}

// common are the attributes that every resource has (RFC 7643 section 3.1).
var common = []Attribute{
	{Name: "id", Type: String, CaseExact: true, ReadOnly: true},
	{Name: "externalId", Type: String, CaseExact: true},
	{Name: "schemas", Type: Reference, Multi: true, ReadOnly: true, CaseExact: true},
	{Name: "meta", Type: Complex, ReadOnly: true, Sub: []Attribute{
		{Name: "resourceType", Type: String, ReadOnly: true, CaseExact: true},
		{Name: "created", Type: DateTime, ReadOnly: true},
		{Name: "lastModified", Type: DateTime, ReadOnly: true},
		{Name: "location", Type: Reference, ReadOnly: true},
		{Name: "version", Type: String, ReadOnly: true, CaseExact: true},
	}},
}

// find returns the attribute of a name, of which case does not matter.
func find(list []Attribute, name string) (Attribute, bool) {
	for _, a := range list {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return Attribute{}, false
}

// attribute returns the attribute that a path leads to, without its sub-attribute.
func (t Type) attribute(p Path) (Attribute, bool) {
	if p.Schema != "" {
		if p.Schema != t.Extension.ID {
			return Attribute{}, false
		}
		return find(t.Extension.Attributes, p.Attribute)
	}
	if a, ok := find(t.Core.Attributes, p.Attribute); ok {
		return a, true
	}
	return find(common, p.Attribute)
}

// Schemas returns the URNs that a resource says it has.
func (t Type) Schemas(resource map[string]any) []string {
	out := []string{t.Core.ID}
	if t.Extension.ID != "" && resource[t.Extension.ID] != nil {
		out = append(out, t.Extension.ID)
	}
	return out
}
