-- The groups that the provider named at the last sign-in, as JSON: what a change of
-- group roles would do is told of them. NULL = they signed in before it was kept.
ALTER TABLE sso_identities ADD COLUMN received text NULL;

-- A directory that only rehearses writes nothing: dry_run names the rehearsal, '' =
-- none.
ALTER TABLE scim_directories ADD COLUMN dry_run varchar(64) NOT NULL DEFAULT '';
ALTER TABLE scim_directories ADD COLUMN dry_run_ends timestamptz NULL;

-- Users and groups as a rehearsal has left them; the real ones stay as they are.
CREATE TABLE scim_rehearsed (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    directory_id    varchar(64) NOT NULL,
    resource_id     varchar(64) NOT NULL,
    state           text NOT NULL
);

CREATE UNIQUE INDEX scim_rehearsed_resource ON scim_rehearsed (organization_id, directory_id, resource_id);

-- What came of requests of directories: what rehearsals would have done, under dry_run,
-- and what was refused, in rehearsals and in earnest.
CREATE TABLE scim_outcomes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    directory_id    varchar(64) NOT NULL,
    dry_run         varchar(64) NOT NULL,
    action          varchar(32) NOT NULL,
    kind            varchar(16) NOT NULL,
    resource_id     varchar(64) NOT NULL,
    name            varchar(254) NOT NULL,
    detail          varchar(500) NOT NULL,
    changes         text NOT NULL,
    status          bigint NOT NULL,
    request_id      varchar(64) NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE INDEX scim_outcomes_list ON scim_outcomes (organization_id, directory_id, dry_run, id);
