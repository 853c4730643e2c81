-- The same done to many users, or invitations, one after the other, by the service
-- itself. action is what is done, with group_id, asked_roles, asked_groups and leads_to
-- where it needs them; asked is the filter by which its rows were found, as JSON.
-- created_by is in whose name, creator_kind what they are, and token_id the token by
-- which they came, "" where they had signed in. request_id, address and console are
-- of the request that set it going. reason is why it ended before its rows.
CREATE TABLE IF NOT EXISTS bulk_jobs (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    action          varchar(32) NOT NULL,
    name            varchar(120) NOT NULL,
    status          varchar(16) NOT NULL,
    group_id        varchar(64) NOT NULL,
    asked_roles     longtext NOT NULL,
    asked_groups    longtext NOT NULL,
    leads_to        varchar(16) NOT NULL,
    asked           longtext NOT NULL,
    unused          longtext NOT NULL,
    total           bigint NOT NULL,
    creator_kind    varchar(16) NOT NULL,
    token_id        varchar(64) NOT NULL,
    token_name      varchar(120) NOT NULL,
    request_id      varchar(128) NOT NULL,
    address         varchar(64) NOT NULL,
    console         boolean NOT NULL,
    reason          varchar(500) NOT NULL,
    started_at      datetime(6) NULL,
    ended_at        datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS bulk_jobs_by_creation ON bulk_jobs (organization_id, created_at, id);
CREATE INDEX IF NOT EXISTS bulk_jobs_of ON bulk_jobs (organization_id, created_by, created_at, id);
CREATE INDEX IF NOT EXISTS bulk_jobs_status ON bulk_jobs (status, updated_at, id);
CREATE INDEX IF NOT EXISTS bulk_jobs_end ON bulk_jobs (ended_at);

-- The users and invitations of a bulk job, in their turn, and what became of each;
-- outcome is '' until that is known. line, email, name and gives are those of a line of
-- a list of people, and faults what is wrong with it, if it is faulty.
CREATE TABLE IF NOT EXISTS bulk_job_rows (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    job_id          varchar(64) NOT NULL,
    turn            bigint NOT NULL,
    target_id       varchar(64) NOT NULL,
    line            bigint NOT NULL,
    email           varchar(254) NOT NULL,
    email_key       varchar(254) NOT NULL,
    name            varchar(120) NOT NULL,
    gives           longtext NOT NULL,
    faults          longtext NOT NULL,
    faulty          boolean NOT NULL,
    outcome         varchar(16) NOT NULL,
    code            varchar(64) NOT NULL,
    detail          varchar(500) NOT NULL,
    mailed          boolean NOT NULL,
    attempts        bigint NOT NULL,
    settled_at      datetime(6) NULL,
    CONSTRAINT bulk_job_rows_job FOREIGN KEY (job_id) REFERENCES bulk_jobs (id)
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS bulk_job_rows_turn ON bulk_job_rows (job_id, turn);
CREATE INDEX IF NOT EXISTS bulk_job_rows_list ON bulk_job_rows (organization_id, job_id, turn, id);
CREATE INDEX IF NOT EXISTS bulk_job_rows_outcome ON bulk_job_rows (organization_id, job_id, outcome, turn, id);
CREATE INDEX IF NOT EXISTS bulk_job_rows_address ON bulk_job_rows (organization_id, email_key);
CREATE INDEX IF NOT EXISTS bulk_job_rows_target ON bulk_job_rows (organization_id, target_id);
