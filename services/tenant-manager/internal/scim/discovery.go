package scim

// MostResults bounds a page, and is what ServiceProviderConfig says.
const MostResults = 200

const (
	configSchema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	typeSchema   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// Config says what is supported (RFC 7643 section 5). base is the address of the
// protocol.
func Config(base string) map[string]any {
	can := func(is bool) map[string]any { return map[string]any{"supported": is} }
	return map[string]any{
		"schemas":        []string{configSchema},
		"patch":          can(true),
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": true, "maxResults": MostResults},
		"changePassword": can(false),
		"sort":           can(false),
		"etag":           can(true),
		"authenticationSchemes": []map[string]any{{
			"type": "oauthbearertoken", "name": "Bearer token", "description": "A token of the directory.", "specUri": "https://www.rfc-editor.org/rfc/rfc6750", "primary": true,
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": base + "/ServiceProviderConfig"},
	}
}

// Types are the types of resources that there are.
func Types() []Type { return []Type{User(), Group()} }

// ResourceType describes a type (RFC 7643 section 6).
func (t Type) ResourceType(base string) map[string]any {
	out := map[string]any{
		"schemas": []string{typeSchema}, "id": t.Name, "name": t.Name, "endpoint": t.Endpoint, "description": t.Description, "schema": t.Core.ID,
		"meta": map[string]any{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.Name},
	}
	if t.Extension.ID != "" {
		out["schemaExtensions"] = []map[string]any{{"schema": t.Extension.ID, "required": false}}
	}
	return out
}

// Describe describes a schema (RFC 7643 section 7).
func (s Schema) Describe(base string) map[string]any {
	return map[string]any{
		"schemas": []string{schemaSchema}, "id": s.ID, "name": s.Name, "description": s.Description, "attributes": describeAll(s.Attributes),
		"meta": map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + s.ID},
	}
}

func describeAll(list []Attribute) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, a := range list {
		out[i] = a.describe()
	}
	return out
}

func (a Attribute) describe() map[string]any {
	mutability, uniqueness := "readWrite", "none"
	if a.ReadOnly {
		mutability = "readOnly"
	}
	if a.Unique {
		uniqueness = "server"
	}
	out := map[string]any{
		"name": a.Name, "type": a.Type, "multiValued": a.Multi, "description": a.Description, "required": a.Required, "caseExact": a.CaseExact,
		"mutability": mutability, "returned": "default", "uniqueness": uniqueness,
	}
	if len(a.Kinds) > 0 {
		out["canonicalValues"] = a.Kinds
	}
	if len(a.To) > 0 {
		out["referenceTypes"] = a.To
	}
	if len(a.Sub) > 0 {
		out["subAttributes"] = describeAll(a.Sub)
	}
	return out
}
