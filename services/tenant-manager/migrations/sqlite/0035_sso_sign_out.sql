-- The ID tokens by which sessions began, encrypted, for connections whose people are
-- signed out at the provider too: by it the provider knows who signs out (OpenID Connect
-- RP-Initiated Logout 1.0). session_id is a session, or the hash of the challenge of a
-- second step until that is taken.
CREATE TABLE sso_hints (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    session_id      varchar(64) NOT NULL,
    connection_id   varchar(64) NOT NULL,
    id_token        text NOT NULL,
    created_at      datetime NOT NULL
);

CREATE UNIQUE INDEX sso_hints_session ON sso_hints (session_id);
CREATE INDEX sso_hints_connection ON sso_hints (organization_id, connection_id);
CREATE INDEX sso_hints_created ON sso_hints (created_at);
