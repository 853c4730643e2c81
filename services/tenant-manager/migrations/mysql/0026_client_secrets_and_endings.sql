-- Clients have several secrets at a time, each with a name and an end of its own.
ALTER TABLE oauth_client_secrets ADD COLUMN IF NOT EXISTS name varchar(120) NOT NULL DEFAULT '';
ALTER TABLE oauth_client_secrets ADD COLUMN IF NOT EXISTS last_used_at datetime(6) NULL;
CREATE INDEX IF NOT EXISTS oauth_client_secrets_end ON oauth_client_secrets (expires_at);

-- What somebody was told of that ends, by how many days before. subject is the id of what
-- ends; one whose end is moved is told of anew.
CREATE TABLE IF NOT EXISTS ending_notices (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    kind            varchar(32) NOT NULL,
    subject         varchar(64) NOT NULL,
    ends_at         datetime(6) NOT NULL,
    days            integer NOT NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS ending_notices_subject ON ending_notices (organization_id, kind, subject, ends_at, days);
CREATE INDEX IF NOT EXISTS ending_notices_end ON ending_notices (ends_at);

-- Whether proofs of a client must have a nonce of ours (RFC 9449 section 8).
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS dpop_nonce boolean NOT NULL DEFAULT false;
