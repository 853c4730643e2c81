-- Where clients are told that a session ended (OpenID Connect Back-Channel Logout).
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS backchannel_logout_uri varchar(500) NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS backchannel_logout_session boolean NOT NULL DEFAULT false;

-- Which clients were given tokens in which sessions of users.
CREATE TABLE IF NOT EXISTS oauth_session_clients (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    session_id      varchar(64) NOT NULL,
    client_id       varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS oauth_session_clients_session ON oauth_session_clients (session_id, client_id);
CREATE INDEX IF NOT EXISTS oauth_session_clients_user ON oauth_session_clients (organization_id, user_id, client_id);
CREATE INDEX IF NOT EXISTS oauth_session_clients_client ON oauth_session_clients (organization_id, client_id);

-- Clients that have still to be told that a session ended.
CREATE TABLE IF NOT EXISTS oauth_logouts (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    client_id       varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    session_id      varchar(64) NOT NULL,
    attempts        integer NOT NULL,
    begun_at        datetime(6) NOT NULL,
    next_at         datetime(6) NOT NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS oauth_logouts_due ON oauth_logouts (next_at);
CREATE INDEX IF NOT EXISTS oauth_logouts_client ON oauth_logouts (organization_id, client_id);

-- The session at the identity provider of which a session here came, as a hash, so that the
-- provider can end it.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sso_sid varchar(64) NOT NULL DEFAULT '';
ALTER TABLE challenges ADD COLUMN IF NOT EXISTS sso_sid varchar(64) NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS sessions_sso ON sessions (organization_id, sso_connection_id, sso_sid);
