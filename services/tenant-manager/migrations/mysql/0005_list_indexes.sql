-- The orders in which lists are shown, with what is searched, so that searching
-- reads an index and not the rows.

CREATE INDEX IF NOT EXISTS users_search ON users (organization_id, name_key, id, email_key, status);

CREATE INDEX IF NOT EXISTS users_search_by_email ON users (organization_id, email, id, email_key, name_key);

CREATE INDEX IF NOT EXISTS users_search_by_creation ON users (organization_id, created_at, id, name_key, email_key, status);

CREATE INDEX IF NOT EXISTS users_search_by_status ON users (organization_id, status, name_key, id, email_key);

CREATE INDEX IF NOT EXISTS service_accounts_by_name ON service_accounts (organization_id, name_key, id);

CREATE INDEX IF NOT EXISTS service_accounts_by_creation ON service_accounts (organization_id, created_at, id, name_key);

CREATE INDEX IF NOT EXISTS invitations_search ON invitations (organization_id, created_at, id, accepted_at, expires_at, email_key, name);

CREATE INDEX IF NOT EXISTS grants_role_by_creation ON grants (organization_id, role_id, created_at, id);

CREATE INDEX IF NOT EXISTS grants_project_by_creation ON grants (organization_id, project_id, created_at, id);

CREATE INDEX IF NOT EXISTS audit_entries_service ON audit_entries (organization_id, service, sequence);

CREATE INDEX IF NOT EXISTS audit_entries_outcome ON audit_entries (organization_id, outcome, sequence);

-- The columns of these begin one of the above.
DROP INDEX IF EXISTS users_by_name ON users;

DROP INDEX IF EXISTS users_by_email ON users;

DROP INDEX IF EXISTS users_by_creation ON users;

DROP INDEX IF EXISTS invitations_by_creation ON invitations;

DROP INDEX IF EXISTS grants_role ON grants;

DROP INDEX IF EXISTS grants_project ON grants;
