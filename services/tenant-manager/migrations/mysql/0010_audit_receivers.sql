-- What a search of the trail looks at, in lower case.
ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS search_text varchar(1000) NOT NULL DEFAULT '';
UPDATE audit_entries SET search_text = lower(substr(concat(actor_name, ' ', action, ' ', target_name, ' ', target_id, ' ', actor_id, ' ', request_id, ' ', ip), 1, 1000)) WHERE search_text = '';

-- How long entries are kept: 0 = for ever. What was removed ends at a sequence and
-- a hash, from which the rest is verified.
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS retention_days integer NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 1;
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS removed_sequence bigint NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS removed_hash varchar(64) NOT NULL DEFAULT '';

-- Where the trail is forwarded to, and how far it got. The secret is encrypted.
CREATE TABLE IF NOT EXISTS audit_receivers (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    kind            varchar(16) NOT NULL,
    address         varchar(500) NOT NULL,
    secret          text NOT NULL,
    ca              text NOT NULL,
    enabled         boolean NOT NULL,
    sent            bigint NOT NULL,
    sent_at         datetime(6) NULL,
    failures        integer NOT NULL,
    error           varchar(500) NOT NULL,
    next_at         datetime(6) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS audit_receivers_name ON audit_receivers (organization_id, name_key);
CREATE INDEX IF NOT EXISTS audit_receivers_due ON audit_receivers (enabled, next_at);
