-- Policies of the platform, of a project, or of an API with its operations: one
-- row for each place that has any. They are encrypted, as they may hold secrets.
CREATE TABLE IF NOT EXISTS policy_lists (
    id              varchar(36) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    place           varchar(48) NOT NULL,
    level           varchar(16) NOT NULL,
    project_id      varchar(36) NOT NULL,
    api_id          varchar(36) NOT NULL,
    policies        longtext NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(80) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS policy_lists_place ON policy_lists (organization_id, place);

-- Named lists of policies for reuse.
CREATE TABLE IF NOT EXISTS policy_sets (
    id              varchar(36) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    slug            varchar(63) NOT NULL,
    name            varchar(120) NOT NULL,
    description     varchar(2000) NOT NULL,
    set_version     bigint NOT NULL,
    policies        longtext NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(80) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS policy_sets_slug ON policy_sets (organization_id, slug);

CREATE INDEX IF NOT EXISTS policy_sets_name ON policy_sets (organization_id, name, id, slug);

-- What policy sets were.
CREATE TABLE IF NOT EXISTS policy_set_versions (
    id              varchar(36) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    policy_set_id   varchar(36) NOT NULL,
    set_version     bigint NOT NULL,
    policies        longtext NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(80) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS policy_set_versions_number ON policy_set_versions (organization_id, policy_set_id, set_version);

-- Where policy sets are used: by a list of policies or by a plan, the owner.
CREATE TABLE IF NOT EXISTS policy_set_uses (
    id              varchar(36) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    slug            varchar(63) NOT NULL,
    owner_id        varchar(36) NOT NULL,
    level           varchar(16) NOT NULL,
    project_id      varchar(36) NOT NULL,
    api_id          varchar(36) NOT NULL,
    plan_id         varchar(36) NOT NULL,
    operation       varchar(255) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS policy_set_uses_slug ON policy_set_uses (organization_id, slug);

CREATE INDEX IF NOT EXISTS policy_set_uses_owner ON policy_set_uses (organization_id, owner_id);

-- How APIs may be consumed. What may hold secrets is encrypted.
CREATE TABLE IF NOT EXISTS plans (
    id              varchar(36) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    api_id          varchar(36) NOT NULL,
    project_id      varchar(36) NOT NULL,
    slug            varchar(63) NOT NULL,
    name            varchar(120) NOT NULL,
    description     varchar(2000) NOT NULL,
    security        varchar(16) NOT NULL,
    security_config longtext NOT NULL,
    approval        varchar(16) NOT NULL,
    limits          longtext NOT NULL,
    policies        longtext NOT NULL,
    when_expression longtext NOT NULL,
    status          varchar(16) NOT NULL,
    position        bigint NOT NULL,
    published_at    datetime(6) NULL,
    closed_at       datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(80) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS plans_slug ON plans (organization_id, api_id, slug);

CREATE INDEX IF NOT EXISTS plans_order ON plans (organization_id, api_id, position, id);
