-- The authorization server: clients of an organization's APIs (RFC 6749), what they may ask for, the keys that their
-- tokens are signed with, and what people allowed them.

-- Programs that are given tokens. The id is the client_id.
CREATE TABLE oauth_clients (
    id                        varchar(64) NOT NULL PRIMARY KEY,
    organization_id           varchar(64) NOT NULL,
    name                      varchar(120) NOT NULL,
    name_key                  varchar(120) NOT NULL,
    description               varchar(1000) NOT NULL,
    status                    varchar(16) NOT NULL,
    auth_method               varchar(32) NOT NULL,
    grant_types               text NOT NULL,
    redirect_uris             text NOT NULL,
    post_logout_redirect_uris text NOT NULL,
    scopes                    text NOT NULL,
    audiences                 text NOT NULL,
    token_format              varchar(16) NOT NULL,
    algorithm                 varchar(16) NOT NULL,
    access_token_seconds      bigint NOT NULL,
    refresh_token_seconds     bigint NOT NULL,
    jwks                      text NOT NULL,
    assertion_algorithm       varchar(16) NOT NULL,
    certificate_thumbprint    varchar(64) NOT NULL,
    dpop_bound                boolean NOT NULL,
    skip_consent              boolean NOT NULL,
    may_introspect            boolean NOT NULL,
    registration_hash         varchar(64) NOT NULL,
    version                   bigint NOT NULL,
    created_at                timestamptz NOT NULL,
    created_by                varchar(64) NOT NULL,
    updated_at                timestamptz NOT NULL
);

CREATE UNIQUE INDEX oauth_clients_name ON oauth_clients (organization_id, name_key);
CREATE INDEX oauth_clients_by_creation ON oauth_clients (organization_id, created_at, id);

-- Secrets of clients, by their hash. More than one is good while they are rotated.
CREATE TABLE oauth_client_secrets (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    client_id       varchar(64) NOT NULL,
    hash            varchar(64) NOT NULL,
    hint            varchar(32) NOT NULL,
    expires_at      timestamptz NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL
);

CREATE INDEX oauth_client_secrets_client ON oauth_client_secrets (organization_id, client_id, created_at);

-- What a token can be good for.
CREATE TABLE oauth_scopes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    title           varchar(120) NOT NULL,
    description     varchar(1000) NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX oauth_scopes_name ON oauth_scopes (organization_id, name);

-- The keys that an organization's tokens are signed with. The id is the kid.
CREATE TABLE oauth_keys (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    algorithm       varchar(16) NOT NULL,
    number          bigint NOT NULL,
    private_key     text NOT NULL,
    active_from     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL
);

CREATE UNIQUE INDEX oauth_keys_number ON oauth_keys (organization_id, algorithm, number);

-- What a user allowed a client.
CREATE TABLE oauth_consents (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    client_id       varchar(64) NOT NULL,
    scopes          text NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX oauth_consents_of ON oauth_consents (organization_id, user_id, client_id);
CREATE INDEX oauth_consents_client ON oauth_consents (organization_id, client_id);
CREATE INDEX oauth_consents_by_creation ON oauth_consents (organization_id, created_at, id);

-- Refresh tokens, by their hash. Those that were used stay until they run out, so that one that comes again is known.
CREATE TABLE oauth_refresh_tokens (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    family_id       varchar(64) NOT NULL,
    client_id       varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    request         text NOT NULL,
    used_at         timestamptz NULL,
    ended_at        timestamptz NULL,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE INDEX oauth_refresh_tokens_family ON oauth_refresh_tokens (organization_id, family_id);
CREATE INDEX oauth_refresh_tokens_of ON oauth_refresh_tokens (organization_id, user_id, client_id);
CREATE INDEX oauth_refresh_tokens_expires_at ON oauth_refresh_tokens (expires_at);

-- What lives for minutes where there is no Redis: codes, opaque tokens, requests under way, revocations.
CREATE TABLE oauth_entries (
    id         varchar(191) NOT NULL PRIMARY KEY,
    value      text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX oauth_entries_expires_at ON oauth_entries (expires_at);

-- Tokens with which programs register themselves as clients (RFC 7591), by their hash.
CREATE TABLE oauth_initial_tokens (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    hash            varchar(64) NOT NULL,
    hint            varchar(32) NOT NULL,
    uses_left       bigint NOT NULL,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL
);

CREATE UNIQUE INDEX oauth_initial_tokens_hash ON oauth_initial_tokens (hash);
CREATE INDEX oauth_initial_tokens_by_creation ON oauth_initial_tokens (organization_id, created_at, id);
