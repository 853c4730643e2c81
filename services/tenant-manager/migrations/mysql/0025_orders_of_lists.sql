-- The order in which those who have a role are shown.
CREATE INDEX IF NOT EXISTS grants_role_principal ON grants (organization_id, role_id, principal_id, principal_kind, expires_at);

-- Those that deny, or allow, in the order in which they are shown.
CREATE INDEX IF NOT EXISTS grants_effect_by_creation ON grants (organization_id, effect, created_at, id);

CREATE INDEX IF NOT EXISTS organizations_by_name ON organizations (name, id);
CREATE INDEX IF NOT EXISTS organizations_by_creation ON organizations (created_at, id);
