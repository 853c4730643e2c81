-- Who was given a role at a place, in their order.
CREATE INDEX IF NOT EXISTS grants_role_place ON grants (organization_id, role_id, project_id, api_id, environment_id, principal_id);

-- Grants of an API in an environment, in the order in which they are shown.
CREATE INDEX IF NOT EXISTS grants_api_environment_by_creation ON grants (organization_id, api_id, environment_id, created_at, id);

-- The trail between two times, in its order.
CREATE INDEX IF NOT EXISTS audit_entries_by_time ON audit_entries (organization_id, time, sequence);

DROP INDEX IF EXISTS audit_entries_time ON audit_entries;
