-- Tenants. Each is also its own organization_id, so that it is read like all else.
CREATE TABLE IF NOT EXISTS organizations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    slug            varchar(63) NOT NULL,
    name            varchar(120) NOT NULL,
    suspended       boolean NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS organizations_slug ON organizations (slug);
CREATE UNIQUE INDEX IF NOT EXISTS organizations_organization_id ON organizations (organization_id);

-- People. The keys are folded to lower case, for looking up and sorting; the
-- e-mail's is null where there is none: before the first run is completed, and
-- after the user was deleted.
CREATE TABLE IF NOT EXISTS users (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    email           varchar(254) NOT NULL,
    email_key       varchar(254) NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    status          varchar(16) NOT NULL,
    setup_pending   boolean NOT NULL,
    password_hash   varchar(255) NOT NULL,
    last_sign_in_at datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (organization_id, email_key);
CREATE INDEX IF NOT EXISTS users_email_key ON users (email_key);
CREATE INDEX IF NOT EXISTS users_by_name ON users (organization_id, name_key, id);
CREATE INDEX IF NOT EXISTS users_by_email ON users (organization_id, email, id);
CREATE INDEX IF NOT EXISTS users_by_creation ON users (organization_id, created_at, id);

-- Signing in of people. The key, encrypted, makes the refresh tokens.
CREATE TABLE IF NOT EXISTS sessions (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    refresh_key     longtext NOT NULL,
    generation      bigint NOT NULL,
    rotated_at      datetime(6) NOT NULL,
    ip              varchar(64) NOT NULL,
    user_agent      varchar(300) NOT NULL,
    created_at      datetime(6) NOT NULL,
    last_used_at    datetime(6) NOT NULL,
    expires_at      datetime(6) NOT NULL,
    ended_at        datetime(6) NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS sessions_user ON sessions (organization_id, user_id, created_at);
CREATE INDEX IF NOT EXISTS sessions_expires_at ON sessions (expires_at);

-- Secrets by which a user does one thing once: the first owner signs in, or
-- somebody sets a new password.
CREATE TABLE IF NOT EXISTS one_time_codes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    purpose         varchar(16) NOT NULL,
    hash            varchar(64) NOT NULL,
    expires_at      datetime(6) NOT NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS one_time_codes_hash ON one_time_codes (hash);
CREATE INDEX IF NOT EXISTS one_time_codes_user ON one_time_codes (organization_id, user_id);

-- Failures of signing in, by the hash of what they are held against.
CREATE TABLE IF NOT EXISTS sign_in_attempts (
    id            varchar(80) NOT NULL PRIMARY KEY,
    failures      integer NOT NULL,
    last_at       datetime(6) NOT NULL,
    blocked_until datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS sign_in_attempts_last_at ON sign_in_attempts (last_at);

-- Custom roles; the built-in ones are in the program.
CREATE TABLE IF NOT EXISTS roles (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(63) NOT NULL,
    title           varchar(120) NOT NULL,
    description     varchar(1000) NOT NULL,
    permissions     longtext NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS roles_name ON roles (organization_id, name);

-- Who has which role where. An empty text narrows nothing.
CREATE TABLE IF NOT EXISTS grants (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    principal_id    varchar(64) NOT NULL,
    principal_kind  varchar(16) NOT NULL,
    role_id         varchar(64) NOT NULL,
    project_id      varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    environment_id  varchar(64) NOT NULL,
    expires_at      datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS grants_of ON grants (organization_id, principal_id, role_id, project_id, api_id, environment_id);
CREATE INDEX IF NOT EXISTS grants_role ON grants (organization_id, role_id);
CREATE INDEX IF NOT EXISTS grants_project ON grants (organization_id, project_id);
CREATE INDEX IF NOT EXISTS grants_by_creation ON grants (organization_id, created_at, id);

-- Links by which people come in.
CREATE TABLE IF NOT EXISTS invitations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    email           varchar(254) NOT NULL,
    email_key       varchar(254) NOT NULL,
    name            varchar(120) NOT NULL,
    roles           longtext NOT NULL,
    token_hash      varchar(64) NOT NULL,
    expires_at      datetime(6) NOT NULL,
    accepted_at     datetime(6) NULL,
    accepted_by     varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS invitations_token_hash ON invitations (token_hash);
CREATE INDEX IF NOT EXISTS invitations_by_creation ON invitations (organization_id, created_at, id);

-- Accounts of programs, and their tokens.
CREATE TABLE IF NOT EXISTS service_accounts (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    description     varchar(1000) NOT NULL,
    status          varchar(16) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS service_accounts_name ON service_accounts (organization_id, name_key);

CREATE TABLE IF NOT EXISTS service_tokens (
    id                 varchar(64) NOT NULL PRIMARY KEY,
    organization_id    varchar(64) NOT NULL,
    service_account_id varchar(64) NOT NULL,
    name               varchar(120) NOT NULL,
    hash               varchar(64) NOT NULL,
    hint               varchar(40) NOT NULL,
    expires_at         datetime(6) NULL,
    last_used_at       datetime(6) NULL,
    created_at         datetime(6) NOT NULL,
    created_by         varchar(64) NOT NULL,
    CONSTRAINT service_tokens_account FOREIGN KEY (service_account_id) REFERENCES service_accounts (id)
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS service_tokens_hash ON service_tokens (hash);
CREATE INDEX IF NOT EXISTS service_tokens_account ON service_tokens (service_account_id);

-- Keys of access tokens; the private one is encrypted.
CREATE TABLE IF NOT EXISTS signing_keys (
    id          varchar(64) NOT NULL PRIMARY KEY,
    number      bigint NOT NULL,
    private_key longtext NOT NULL,
    active_from datetime(6) NOT NULL,
    created_at  datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS signing_keys_number ON signing_keys (number);

-- The audit trail of all services. Rows are added, and never changed or deleted.
CREATE TABLE IF NOT EXISTS audit_entries (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    sequence        bigint NOT NULL,
    service         varchar(64) NOT NULL,
    action          varchar(100) NOT NULL,
    outcome         varchar(16) NOT NULL,
    actor_kind      varchar(32) NOT NULL,
    actor_id        varchar(64) NOT NULL,
    actor_name      varchar(254) NOT NULL,
    target_kind     varchar(64) NOT NULL,
    target_id       varchar(255) NOT NULL,
    target_name     varchar(255) NOT NULL,
    target_project  varchar(64) NOT NULL,
    changes         longtext NOT NULL,
    request_id      varchar(128) NOT NULL,
    ip              varchar(64) NOT NULL,
    time            datetime(6) NOT NULL,
    previous_hash   varchar(64) NOT NULL,
    hash            varchar(64) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS audit_entries_sequence ON audit_entries (organization_id, sequence);
CREATE INDEX IF NOT EXISTS audit_entries_time ON audit_entries (organization_id, time);
CREATE INDEX IF NOT EXISTS audit_entries_actor ON audit_entries (organization_id, actor_id, sequence);
CREATE INDEX IF NOT EXISTS audit_entries_target ON audit_entries (organization_id, target_id, sequence);
CREATE INDEX IF NOT EXISTS audit_entries_action ON audit_entries (organization_id, action, sequence);

-- The last entry of each organization's trail.
CREATE TABLE IF NOT EXISTS audit_heads (
    organization_id varchar(64) NOT NULL PRIMARY KEY,
    sequence        bigint NOT NULL,
    hash            varchar(64) NOT NULL
) ENGINE=InnoDB;
