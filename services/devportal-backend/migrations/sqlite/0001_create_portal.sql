-- The organizations, as tenant-manager tells them: gateways know them by slug.
CREATE TABLE organizations (
    id         varchar(64) NOT NULL PRIMARY KEY,
    slug       varchar(63) NOT NULL,
    name       varchar(200) NOT NULL,
    suspended  boolean NOT NULL,
    updated_at datetime NOT NULL
);

CREATE UNIQUE INDEX organizations_slug ON organizations (slug);

-- How the portal of each organization looks. Its id is the organization's.
CREATE TABLE portals (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    title           varchar(80) NOT NULL,
    tagline         varchar(200) NOT NULL,
    accent          varchar(7) NOT NULL,
    visibility      varchar(16) NOT NULL,
    sign_up         varchar(16) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE UNIQUE INDEX portals_organization ON portals (organization_id);

-- What is published, as gateway-manager and policy-manager tell it.
CREATE TABLE catalogue_apis (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    slug            varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    api_version     varchar(64) NOT NULL,
    project_id      varchar(64) NOT NULL,
    deprecated      boolean NOT NULL,
    revision        bigint NOT NULL,
    document_hash   varchar(64) NOT NULL,
    document        blob NOT NULL,
    digest_form     bigint NOT NULL,
    operation_count bigint NOT NULL,
    overview        text NOT NULL,
    plans           text NOT NULL,
    endpoints       text NOT NULL,
    search_text     text NOT NULL,
    created_at      datetime NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE UNIQUE INDEX catalogue_apis_slug ON catalogue_apis (organization_id, slug);
CREATE INDEX catalogue_apis_name ON catalogue_apis (organization_id, name, id);

-- One page of the reference each, digested when the document arrived.
CREATE TABLE catalogue_operations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    operation_id    varchar(255) NOT NULL,
    position        bigint NOT NULL,
    method          varchar(16) NOT NULL,
    path            text NOT NULL,
    summary         text NOT NULL,
    deprecated      boolean NOT NULL,
    search_text     text NOT NULL,
    page            blob NOT NULL
);

CREATE UNIQUE INDEX catalogue_operations_api ON catalogue_operations (api_id, operation_id);
CREATE INDEX catalogue_operations_organization ON catalogue_operations (organization_id, api_id, position);

-- A deleted application stays, so that traffic of the past keeps its name.
CREATE TABLE applications (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(100) NOT NULL,
    description     text NOT NULL,
    search_text     text NOT NULL,
    owner_id        varchar(64) NOT NULL,
    owner_name      varchar(200) NOT NULL,
    deleted_at      datetime NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE INDEX applications_owner ON applications (organization_id, owner_id, name, id);
CREATE INDEX applications_name ON applications (organization_id, name, id);
CREATE INDEX applications_created_at ON applications (organization_id, created_at, id);

-- Of a key there is its HMAC, by which it is recognised here, and its SHA-256,
-- by which gateways look it up. purpose is "" or "try".
CREATE TABLE credentials (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    application_id  varchar(64) NOT NULL,
    kind            varchar(16) NOT NULL,
    purpose         varchar(16) NOT NULL,
    name            varchar(100) NOT NULL,
    hint            varchar(32) NOT NULL,
    hash            varchar(64) NOT NULL,
    digest          varchar(64) NOT NULL,
    expires_at      datetime NULL,
    revoked_at      datetime NULL,
    replaced_by     varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL,
    CONSTRAINT credentials_of FOREIGN KEY (application_id) REFERENCES applications (id)
);

CREATE UNIQUE INDEX credentials_hash ON credentials (hash);
CREATE UNIQUE INDEX credentials_digest ON credentials (digest);
CREATE INDEX credentials_application ON credentials (application_id, created_at);
CREATE INDEX credentials_expires_at ON credentials (purpose, expires_at);

-- open_key is application and plan while the subscription is not over: an
-- application has a plan once.
CREATE TABLE subscriptions (
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
    message         text NOT NULL,
    history         text NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL,
    CONSTRAINT subscriptions_of FOREIGN KEY (application_id) REFERENCES applications (id)
);

CREATE UNIQUE INDEX subscriptions_open ON subscriptions (open_key);
CREATE INDEX subscriptions_application ON subscriptions (application_id, status);
CREATE INDEX subscriptions_api ON subscriptions (organization_id, api_id, status);
CREATE INDEX subscriptions_plan ON subscriptions (organization_id, plan_id, status);
CREATE INDEX subscriptions_created_at ON subscriptions (organization_id, created_at, id);
