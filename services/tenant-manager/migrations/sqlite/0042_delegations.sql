-- An access token by which an application acts as somebody at the product itself: of which
-- request, client and session it came. token_key is the hash of its jti, issued_at when it
-- was made; it is known for as long as it is good.
CREATE TABLE IF NOT EXISTS oauth_delegations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    token_key       varchar(64) NOT NULL,
    family_id       varchar(64) NOT NULL,
    client_id       varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    session_id      varchar(64) NOT NULL,
    issued_at       datetime NOT NULL,
    expires_at      datetime NOT NULL,
    created_at      datetime NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS oauth_delegations_token ON oauth_delegations (organization_id, token_key);
CREATE INDEX IF NOT EXISTS oauth_delegations_family ON oauth_delegations (organization_id, family_id);
CREATE INDEX IF NOT EXISTS oauth_delegations_client ON oauth_delegations (organization_id, client_id);
CREATE INDEX IF NOT EXISTS oauth_delegations_user ON oauth_delegations (organization_id, user_id);
CREATE INDEX IF NOT EXISTS oauth_delegations_session ON oauth_delegations (session_id);
CREATE INDEX IF NOT EXISTS oauth_delegations_end ON oauth_delegations (expires_at);
