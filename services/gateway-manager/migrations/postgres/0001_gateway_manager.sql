-- Organizations as tenant-manager knows them, and what their gateways share.
CREATE TABLE IF NOT EXISTS organizations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    slug            varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    suspended       boolean NOT NULL,
    settings        text NOT NULL,
    settings_wanted bigint NOT NULL,
    settings_done   bigint NOT NULL,
    units_epoch     varchar(64) NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS organizations_slug ON organizations (slug);

-- Teams' workspaces.
CREATE TABLE IF NOT EXISTS projects (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL,
    slug            varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    description     text NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS projects_slug ON projects (organization_id, slug);

CREATE INDEX IF NOT EXISTS projects_name ON projects (organization_id, name, id);

-- Ordered stages. The sequence rises with every change of what is deployed.
CREATE TABLE IF NOT EXISTS environments (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL,
    slug            varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    position        integer NOT NULL,
    production      boolean NOT NULL,
    sequence        bigint NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS environments_slug ON environments (organization_id, slug);

-- Gateways of one environment that serve the same. What is wanted is more than what is done until it is published.
CREATE TABLE IF NOT EXISTS gateway_groups (
    id               varchar(64) NOT NULL PRIMARY KEY,
    organization_id  varchar(64) NOT NULL,
    version          bigint NOT NULL,
    created_at       timestamptz NOT NULL,
    created_by       varchar(64) NOT NULL,
    updated_at       timestamptz NOT NULL,
    slug             varchar(64) NOT NULL,
    name             varchar(200) NOT NULL,
    environment_id   varchar(64) NOT NULL,
    visibility       varchar(20) NOT NULL,
    projects         text NOT NULL,
    public_url       varchar(500) NOT NULL,
    epoch            varchar(64) NOT NULL,
    manifest_version bigint NOT NULL,
    published_at     timestamptz NULL,
    wanted           bigint NOT NULL,
    done             bigint NOT NULL,
    problem          varchar(1000) NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS gateway_groups_slug ON gateway_groups (organization_id, slug);

CREATE INDEX IF NOT EXISTS gateway_groups_environment ON gateway_groups (organization_id, environment_id);

CREATE INDEX IF NOT EXISTS gateway_groups_wanted ON gateway_groups (wanted, done);

-- By hash, what gateways may join a group with.
CREATE TABLE IF NOT EXISTS join_tokens (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    group_id        varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    hash            varchar(64) NOT NULL,
    last4           varchar(8) NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    expires_at      timestamptz NULL,
    last_used_at    timestamptz NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS join_tokens_hash ON join_tokens (organization_id, group_id, hash);

-- Running instances, as they reported last.
CREATE TABLE IF NOT EXISTS gateways (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    group_id        varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    instance        varchar(64) NOT NULL,
    build           varchar(200) NOT NULL,
    listeners       text NOT NULL,
    created_at      timestamptz NOT NULL,
    started_at      timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    stopped         boolean NOT NULL,
    announced       varchar(20) NOT NULL,
    epoch           varchar(64) NOT NULL,
    applied_version bigint NOT NULL,
    apis            integer NOT NULL,
    issues          text NOT NULL,
    in_flight       bigint NOT NULL,
    requests        bigint NOT NULL,
    memory          bigint NOT NULL,
    clock_skew_ms   bigint NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS gateways_name ON gateways (organization_id, group_id, name);

CREATE INDEX IF NOT EXISTS gateways_seen ON gateways (announced, last_seen_at);

-- Keys that manifests are signed with; the private half is encrypted.
CREATE TABLE IF NOT EXISTS manifest_keys (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    public_key      varchar(64) NOT NULL,
    private_key     text NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS manifest_keys_organization ON manifest_keys (organization_id);

-- OpenAPI documents by hash, compressed.
CREATE TABLE IF NOT EXISTS documents (
    organization_id varchar(64) NOT NULL,
    hash            varchar(64) NOT NULL,
    body            bytea NOT NULL,
    size            bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, hash)
);

-- APIs as they are being edited.
CREATE TABLE IF NOT EXISTS apis (
    id                varchar(64) NOT NULL PRIMARY KEY,
    organization_id   varchar(64) NOT NULL,
    version           bigint NOT NULL,
    created_at        timestamptz NOT NULL,
    created_by        varchar(64) NOT NULL,
    updated_at        timestamptz NOT NULL,
    project_id        varchar(64) NOT NULL,
    slug              varchar(64) NOT NULL,
    name              varchar(200) NOT NULL,
    api_version       varchar(64) NOT NULL,
    description       text NOT NULL,
    base_path         varchar(500) NOT NULL,
    hosts             text NOT NULL,
    strip_path        boolean NOT NULL,
    paths             text NOT NULL,
    upstreams         text NOT NULL,
    published         boolean NOT NULL,
    deprecated        boolean NOT NULL,
    document_hash     varchar(64) NOT NULL,
    document_format   varchar(40) NOT NULL,
    document_title    varchar(200) NOT NULL,
    document_size     bigint NOT NULL,
    operation_count   integer NOT NULL,
    draft_hash        varchar(64) NOT NULL,
    effective_version varchar(64) NOT NULL,
    latest_revision   bigint NOT NULL,
    latest_draft      varchar(64) NOT NULL,
    latest_effective  varchar(64) NOT NULL,
    deployed_count    integer NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS apis_slug ON apis (organization_id, slug);

CREATE INDEX IF NOT EXISTS apis_name ON apis (organization_id, name, id);

CREATE INDEX IF NOT EXISTS apis_project ON apis (organization_id, project_id, name, id);

CREATE INDEX IF NOT EXISTS apis_updated ON apis (organization_id, updated_at, id);

-- The operations of drafts, apart from the APIs, because they are long.
CREATE TABLE IF NOT EXISTS api_operations (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    operations      text NOT NULL
);

-- Immutable numbered states of APIs. The content is encrypted: policies may hold secrets.
CREATE TABLE IF NOT EXISTS revisions (
    id                varchar(64) NOT NULL PRIMARY KEY,
    organization_id   varchar(64) NOT NULL,
    api_id            varchar(64) NOT NULL,
    number            bigint NOT NULL,
    hash              varchar(64) NOT NULL,
    message           text NOT NULL,
    created_at        timestamptz NOT NULL,
    created_by        varchar(64) NOT NULL,
    name              varchar(200) NOT NULL,
    api_version       varchar(64) NOT NULL,
    base_path         varchar(500) NOT NULL,
    operation_count   integer NOT NULL,
    policy_count      integer NOT NULL,
    plans             text NOT NULL,
    document_hash     varchar(64) NOT NULL,
    draft_hash        varchar(64) NOT NULL,
    effective_version varchar(64) NOT NULL,
    content           text NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS revisions_number ON revisions (organization_id, api_id, number);

-- Which revision of an API is to be served in an environment; 0 = it was taken out, which has to be published.
CREATE TABLE IF NOT EXISTS deployed (
    id               varchar(64) NOT NULL PRIMARY KEY,
    organization_id  varchar(64) NOT NULL,
    environment_id   varchar(64) NOT NULL,
    api_id           varchar(64) NOT NULL,
    project_id       varchar(64) NOT NULL,
    revision         bigint NOT NULL,
    deployment_id    varchar(64) NOT NULL,
    environment_name varchar(200) NOT NULL,
    unit_hash        varchar(64) NOT NULL,
    sequence         bigint NOT NULL,
    updated_at       timestamptz NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS deployed_api ON deployed (organization_id, environment_id, api_id);

CREATE INDEX IF NOT EXISTS deployed_sequence ON deployed (organization_id, environment_id, sequence);

CREATE INDEX IF NOT EXISTS deployed_by_api ON deployed (organization_id, api_id);

-- Hosts and base paths of what is deployed.
CREATE TABLE IF NOT EXISTS routes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    environment_id  varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    project_id      varchar(64) NOT NULL,
    host            varchar(253) NOT NULL,
    base_path       varchar(500) NOT NULL,
    route_hash      varchar(64) NOT NULL
);

CREATE INDEX IF NOT EXISTS routes_route ON routes (organization_id, environment_id, route_hash);

CREATE INDEX IF NOT EXISTS routes_api ON routes (organization_id, environment_id, api_id);

-- What was deployed where, and how it went.
CREATE TABLE IF NOT EXISTS deployments (
    id                varchar(64) NOT NULL PRIMARY KEY,
    organization_id   varchar(64) NOT NULL,
    api_id            varchar(64) NOT NULL,
    api_name          varchar(200) NOT NULL,
    project_id        varchar(64) NOT NULL,
    environment_id    varchar(64) NOT NULL,
    environment_name  varchar(200) NOT NULL,
    action            varchar(20) NOT NULL,
    revision          bigint NOT NULL,
    previous_revision bigint NOT NULL,
    state             varchar(20) NOT NULL,
    message           text NOT NULL,
    problem           varchar(1000) NOT NULL,
    created_at        timestamptz NOT NULL,
    created_by        varchar(64) NOT NULL,
    live_at           timestamptz NULL
);

CREATE INDEX IF NOT EXISTS deployments_created ON deployments (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS deployments_api ON deployments (organization_id, api_id, created_at, id);

CREATE INDEX IF NOT EXISTS deployments_state ON deployments (organization_id, environment_id, state);

-- The gateway groups that a deployment went to, and the manifest that has it.
CREATE TABLE IF NOT EXISTS deployment_groups (
    id               varchar(64) NOT NULL PRIMARY KEY,
    organization_id  varchar(64) NOT NULL,
    deployment_id    varchar(64) NOT NULL,
    group_id         varchar(64) NOT NULL,
    wanted           bigint NOT NULL,
    manifest_version bigint NOT NULL,
    epoch            varchar(64) NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS deployment_groups_place ON deployment_groups (organization_id, deployment_id, group_id);

CREATE INDEX IF NOT EXISTS deployment_groups_waiting ON deployment_groups (organization_id, group_id, manifest_version);
