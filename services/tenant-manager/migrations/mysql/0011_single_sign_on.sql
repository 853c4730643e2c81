-- Where people of an organization sign in instead of with a password. The secret is
-- encrypted.
CREATE TABLE IF NOT EXISTS sso_connections (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    kind            varchar(16) NOT NULL,
    preset          varchar(32) NOT NULL,
    issuer          varchar(500) NOT NULL,
    client_id       varchar(255) NOT NULL,
    secret          text NOT NULL,
    scopes          text NOT NULL,
    email_claim     varchar(120) NOT NULL,
    name_claim      varchar(120) NOT NULL,
    groups_claim    varchar(120) NOT NULL,
    trust_email     boolean NOT NULL,
    enabled         boolean NOT NULL,
    provision       boolean NOT NULL,
    roles           text NOT NULL,
    group_roles     text NOT NULL,
    saved_by        varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS sso_connections_name ON sso_connections (organization_id, name_key);

-- A domain leads to one connection in the whole installation.
CREATE TABLE IF NOT EXISTS sso_domains (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    connection_id   varchar(64) NOT NULL,
    domain          varchar(253) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS sso_domains_domain ON sso_domains (domain);
CREATE INDEX IF NOT EXISTS sso_domains_connection ON sso_domains (connection_id);

-- Who somebody is at a connection. The subject is kept as a hash, because it is
-- told apart by case; granted are the roles that the connection gave, by grant.
CREATE TABLE IF NOT EXISTS sso_identities (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    connection_id   varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    subject         varchar(64) NOT NULL,
    granted         text NOT NULL,
    created_at      datetime(6) NOT NULL,
    last_used_at    datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS sso_identities_subject ON sso_identities (connection_id, subject);
CREATE INDEX IF NOT EXISTS sso_identities_user ON sso_identities (user_id);
