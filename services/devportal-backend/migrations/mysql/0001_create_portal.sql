-- The organizations, as tenant-manager tells them: gateways know them by slug.
CREATE TABLE IF NOT EXISTS organizations (
    id         varchar(64) NOT NULL PRIMARY KEY,
    slug       varchar(63) NOT NULL,
    name       varchar(200) NOT NULL,
    suspended  boolean NOT NULL,
    updated_at datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS organizations_slug ON organizations (slug);

-- How the portal of each organization looks. Its id is the organization's.
CREATE TABLE IF NOT EXISTS portals (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    title           varchar(80) NOT NULL,
    tagline         varchar(200) NOT NULL,
    accent          varchar(7) NOT NULL,
    visibility      varchar(16) NOT NULL,
    sign_up         varchar(16) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS portals_organization ON portals (organization_id);

-- What is published, as gateway-manager and policy-manager tell it.
CREATE TABLE IF NOT EXISTS catalogue_apis (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    slug            varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    api_version     varchar(64) NOT NULL,
    project_id      varchar(64) NOT NULL,
    deprecated      boolean NOT NULL,
    revision        bigint NOT NULL,
    document_hash   varchar(64) NOT NULL,
    document        longblob NOT NULL,
    digest_form     bigint NOT NULL,
    operation_count bigint NOT NULL,
    overview        longtext NOT NULL,
    plans           longtext NOT NULL,
    endpoints       longtext NOT NULL,
    search_text     longtext NOT NULL,
    created_at      datetime(6) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS catalogue_apis_slug ON catalogue_apis (organization_id, slug);
CREATE INDEX IF NOT EXISTS catalogue_apis_name ON catalogue_apis (organization_id, name, id);

-- One page of the reference each, digested when the document arrived.
CREATE TABLE IF NOT EXISTS catalogue_operations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    operation_id    varchar(255) NOT NULL,
    position        bigint NOT NULL,
    method          varchar(16) NOT NULL,
    path            longtext NOT NULL,
    summary         longtext NOT NULL,
    deprecated      boolean NOT NULL,
    search_text     longtext NOT NULL,
    page            longblob NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS catalogue_operations_api ON catalogue_operations (api_id, operation_id);
CREATE INDEX IF NOT EXISTS catalogue_operations_organization ON catalogue_operations (organization_id, api_id, position);

-- A deleted application stays, so that traffic of the past keeps its name.
CREATE TABLE IF NOT EXISTS applications (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(100) NOT NULL,
    description     longtext NOT NULL,
    search_text     longtext NOT NULL,
    owner_id        varchar(64) NOT NULL,
    owner_name      varchar(200) NOT NULL,
    deleted_at      datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS applications_owner ON applications (organization_id, owner_id, name, id);
CREATE INDEX IF NOT EXISTS applications_name ON applications (organization_id, name, id);
CREATE INDEX IF NOT EXISTS applications_created_at ON applications (organization_id, created_at, id);

-- Of a key there is its HMAC, by which it is recognised here, and its SHA-256,
-- by which gateways look it up. purpose is "" or "try".
CREATE TABLE IF NOT EXISTS credentials (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    application_id  varchar(64) NOT NULL,
    kind            varchar(16) NOT NULL,
    purpose         varchar(16) NOT NULL,
    name            varchar(100) NOT NULL,
    hint            varchar(32) NOT NULL,
    hash            varchar(64) NOT NULL,
    digest          varchar(64) NOT NULL,
    expires_at      datetime(6) NULL,
    revoked_at      datetime(6) NULL,
    replaced_by     varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL,
    CONSTRAINT credentials_of FOREIGN KEY (application_id) REFERENCES applications (id)
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS credentials_hash ON credentials (hash);
CREATE UNIQUE INDEX IF NOT EXISTS credentials_digest ON credentials (digest);
CREATE INDEX IF NOT EXISTS credentials_application ON credentials (application_id, created_at);
CREATE INDEX IF NOT EXISTS credentials_expires_at ON credentials (purpose, expires_at);

-- open_key is application and plan while the subscription is not over: an
-- application has a plan once.
CREATE TABLE IF NOT EXISTS subscriptions (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    application_id  varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    api_name        varchar(200) NOT NULL,
    api_slug        varchar(64) NOT NULL,
    plan_id         varchar(64) NOT NULL,
    plan_name       varchar(200) NOT NULL,
    project_id      varchar(64) NOT NULL,
    status          varchar(16) NOT NULL,
    open_key        varchar(140) NULL,
    message         longtext NOT NULL,
    history         longtext NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL,
    CONSTRAINT subscriptions_of FOREIGN KEY (application_id) REFERENCES applications (id)
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS subscriptions_open ON subscriptions (open_key);
CREATE INDEX IF NOT EXISTS subscriptions_application ON subscriptions (application_id, status);
CREATE INDEX IF NOT EXISTS subscriptions_api ON subscriptions (organization_id, api_id, status);
CREATE INDEX IF NOT EXISTS subscriptions_plan ON subscriptions (organization_id, plan_id, status);
CREATE INDEX IF NOT EXISTS subscriptions_created_at ON subscriptions (organization_id, created_at, id);
