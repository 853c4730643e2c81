-- The order in which those who have a role are shown.
CREATE INDEX IF NOT EXISTS grants_role_principal ON grants (organization_id, role_id, principal_id, principal_kind, expires_at);
