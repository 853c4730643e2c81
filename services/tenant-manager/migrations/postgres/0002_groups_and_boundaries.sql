-- Groups of users, service accounts and other groups. parents is in how many
-- groups it is itself.
CREATE TABLE principal_groups (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    description     varchar(1000) NOT NULL,
    parents         bigint NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX principal_groups_name ON principal_groups (organization_id, name_key);

CREATE TABLE group_members (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    group_id        varchar(64) NOT NULL,
    member_id       varchar(64) NOT NULL,
    member_kind     varchar(16) NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    CONSTRAINT group_members_group FOREIGN KEY (group_id) REFERENCES principal_groups (id)
);

CREATE UNIQUE INDEX group_members_of ON group_members (organization_id, group_id, member_id);
CREATE INDEX group_members_member ON group_members (organization_id, member_id);
CREATE INDEX group_members_kind ON group_members (organization_id, member_kind);
CREATE INDEX group_members_by_creation ON group_members (organization_id, group_id, created_at, id);
CREATE INDEX group_members_group ON group_members (group_id);

-- The role that a user, service account or group can never exceed.
CREATE TABLE boundaries (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    principal_id    varchar(64) NOT NULL,
    principal_kind  varchar(16) NOT NULL,
    role_id         varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX boundaries_principal ON boundaries (organization_id, principal_id);
CREATE INDEX boundaries_role ON boundaries (organization_id, role_id);
CREATE INDEX boundaries_by_creation ON boundaries (organization_id, created_at, id);

-- Who asked for a role, and what became of it. Minutes is for how long; 0 = for
-- good.
CREATE TABLE access_requests (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    principal_id    varchar(64) NOT NULL,
    principal_kind  varchar(16) NOT NULL,
    role_id         varchar(64) NOT NULL,
    project_id      varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    environment_id  varchar(64) NOT NULL,
    reason          varchar(1000) NOT NULL,
    minutes         bigint NOT NULL,
    status          varchar(16) NOT NULL,
    decided_by      varchar(64) NOT NULL,
    decided_at      timestamptz NULL,
    note            varchar(1000) NOT NULL,
    grant_id        varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE INDEX access_requests_status ON access_requests (organization_id, status, created_at, id);
CREATE INDEX access_requests_principal ON access_requests (organization_id, principal_id, created_at, id);
CREATE INDEX access_requests_by_creation ON access_requests (organization_id, created_at, id);

-- A grant can forbid in place of allowing.
ALTER TABLE grants ADD COLUMN effect varchar(8) NOT NULL DEFAULT 'allow';
DROP INDEX grants_of;
CREATE UNIQUE INDEX grants_of ON grants (organization_id, principal_id, role_id, project_id, api_id, environment_id, effect);
