-- Directories of identity providers that make, change and disable users and groups
-- (SCIM, RFC 7644).
CREATE TABLE IF NOT EXISTS scim_directories (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    enabled         boolean NOT NULL,
    connection_id   varchar(64) NOT NULL,
    saved_by        varchar(64) NOT NULL,
    last_used_at    datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS scim_directories_name ON scim_directories (organization_id, name_key);
CREATE INDEX IF NOT EXISTS scim_directories_connection ON scim_directories (organization_id, connection_id);

-- A domain is of one directory in the whole installation.
CREATE TABLE IF NOT EXISTS scim_domains (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    directory_id    varchar(64) NOT NULL,
    domain          varchar(253) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS scim_domains_domain ON scim_domains (domain);
CREATE INDEX IF NOT EXISTS scim_domains_directory ON scim_domains (directory_id);

-- What a directory shows to prove that it is one; only the hash is kept.
CREATE TABLE IF NOT EXISTS scim_tokens (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    directory_id    varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    hash            varchar(64) NOT NULL,
    hint            varchar(32) NOT NULL,
    expires_at      datetime(6) NULL,
    last_used_at    datetime(6) NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS scim_tokens_hash ON scim_tokens (hash);
CREATE INDEX IF NOT EXISTS scim_tokens_directory ON scim_tokens (organization_id, directory_id);

-- The users and groups of a directory: what they are called there, what it said last
-- of whether they are active, whether it made them, and what it says of them that is
-- kept for it alone. What is found by a key is what stands there, up to a length.
CREATE TABLE IF NOT EXISTS scim_resources (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    directory_id    varchar(64) NOT NULL,
    kind            varchar(16) NOT NULL,
    resource_id     varchar(64) NOT NULL,
    user_name       varchar(254) NOT NULL,
    user_name_key   varchar(254) NOT NULL,
    external_id     varchar(254) NOT NULL,
    active          boolean NOT NULL,
    made            boolean NOT NULL,
    attributes      longtext NOT NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS scim_resources_resource ON scim_resources (organization_id, resource_id);
CREATE INDEX IF NOT EXISTS scim_resources_list ON scim_resources (organization_id, directory_id, kind, id);
CREATE INDEX IF NOT EXISTS scim_resources_name ON scim_resources (organization_id, directory_id, kind, user_name_key);
CREATE INDEX IF NOT EXISTS scim_resources_external ON scim_resources (organization_id, directory_id, kind, external_id);

-- Directories ask what has changed since.
CREATE INDEX IF NOT EXISTS users_by_change ON users (organization_id, updated_at, id);
