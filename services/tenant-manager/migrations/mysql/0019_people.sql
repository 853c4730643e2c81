-- What users are found by: "local", or the connection (sso:<id>) or directory
-- (scim:<id>) that they come from, and whether they have a second factor.
ALTER TABLE users ADD COLUMN IF NOT EXISTS source varchar(72) NOT NULL DEFAULT 'local';
ALTER TABLE users ADD COLUMN IF NOT EXISTS second_factor boolean NOT NULL DEFAULT false;

UPDATE users SET second_factor = true WHERE id IN (SELECT user_id FROM factors WHERE confirmed_at IS NOT NULL);

UPDATE users SET source = (SELECT CONCAT('sso:', MIN(i.connection_id)) FROM sso_identities i WHERE i.user_id = users.id)
WHERE id IN (SELECT user_id FROM sso_identities);

UPDATE users SET source = (SELECT CONCAT('scim:', MIN(r.directory_id)) FROM scim_resources r WHERE r.resource_id = users.id)
WHERE id IN (SELECT resource_id FROM scim_resources WHERE kind = 'user');

-- The orders in which users are shown, with all that they are filtered by.
DROP INDEX IF EXISTS users_search ON users;
DROP INDEX IF EXISTS users_search_by_status ON users;
DROP INDEX IF EXISTS users_search_by_creation ON users;
CREATE INDEX IF NOT EXISTS users_search ON users (organization_id, name_key, id, email_key, status, source, second_factor, last_sign_in_at);
CREATE INDEX IF NOT EXISTS users_search_by_status ON users (organization_id, status, name_key, id, email_key, source, second_factor, last_sign_in_at);
CREATE INDEX IF NOT EXISTS users_search_by_creation ON users (organization_id, created_at, id, name_key, email_key, status, source, second_factor, last_sign_in_at);

CREATE INDEX IF NOT EXISTS grants_role_holders ON grants (organization_id, role_id, principal_kind, effect, expires_at, principal_id);

-- Invitations put people into groups, too; ids as a list in JSON.
ALTER TABLE invitations ADD COLUMN IF NOT EXISTS group_ids longtext NULL;
CREATE INDEX IF NOT EXISTS invitations_email ON invitations (organization_id, email_key, accepted_at, expires_at);

-- Sessions of somebody who acts as the user: who they are, and by which session of
-- their own.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS impersonator_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS impersonator_name varchar(120) NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS impersonator_session varchar(64) NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS sessions_impersonator ON sessions (impersonator_session);

-- Who acted as whom, and why. It stays when the session is cleaned away.
CREATE TABLE IF NOT EXISTS impersonations (
    id                varchar(64) NOT NULL PRIMARY KEY,
    organization_id   varchar(64) NOT NULL,
    user_id           varchar(64) NOT NULL,
    impersonator_id   varchar(64) NOT NULL,
    impersonator_name varchar(120) NOT NULL,
    session_id        varchar(64) NOT NULL,
    reason            varchar(500) NOT NULL,
    expires_at        datetime(6) NOT NULL,
    ended_at          datetime(6) NULL,
    created_at        datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS impersonations_user ON impersonations (organization_id, user_id, created_at, id);
CREATE UNIQUE INDEX IF NOT EXISTS impersonations_session ON impersonations (session_id);

-- Who acted as the actor of an entry.
ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS impersonator_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS impersonator_name varchar(254) NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS audit_entries_impersonator ON audit_entries (organization_id, impersonator_id, sequence);
