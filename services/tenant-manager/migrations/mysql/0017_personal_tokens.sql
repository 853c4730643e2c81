-- Tokens of people, by their hashes. permissions is a list as JSON; NULL = all that
-- the person may do. noticed_at is when they were told that it ends soon.
CREATE TABLE IF NOT EXISTS personal_tokens (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    hash            varchar(64) NOT NULL,
    hint            varchar(40) NOT NULL,
    permissions     longtext NULL,
    project_id      varchar(64) NOT NULL,
    environment_id  varchar(64) NOT NULL,
    expires_at      datetime(6) NOT NULL,
    last_used_at    datetime(6) NULL,
    last_used_from  varchar(64) NOT NULL,
    noticed_at      datetime(6) NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    CONSTRAINT personal_tokens_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS personal_tokens_hash ON personal_tokens (hash);
CREATE INDEX IF NOT EXISTS personal_tokens_user ON personal_tokens (user_id);
CREATE INDEX IF NOT EXISTS personal_tokens_end ON personal_tokens (expires_at);

-- Tokens of service accounts are made for a part of what the account may do, too.
ALTER TABLE service_tokens ADD COLUMN IF NOT EXISTS permissions longtext NULL;
ALTER TABLE service_tokens ADD COLUMN IF NOT EXISTS project_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE service_tokens ADD COLUMN IF NOT EXISTS environment_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE service_tokens ADD COLUMN IF NOT EXISTS last_used_from varchar(64) NOT NULL DEFAULT '';

ALTER TABLE security_policies ADD COLUMN IF NOT EXISTS personal_tokens boolean NOT NULL DEFAULT true;
ALTER TABLE security_policies ADD COLUMN IF NOT EXISTS personal_token_days integer NOT NULL DEFAULT 365;

-- By which token somebody did what they did.
ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS actor_token varchar(64) NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS actor_token_name varchar(254) NOT NULL DEFAULT '';
