-- Steps of setting up that an organization leaves out.
CREATE TABLE IF NOT EXISTS setup_skips (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    step            varchar(32) NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS setup_skips_step ON setup_skips (organization_id, step);

-- When the chain of an organization's trail was verified last, how far, and at which
-- entry it was broken; 0 = at none.
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS verified_at datetime(6) NULL;
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS verified_sequence bigint NOT NULL DEFAULT 0;
ALTER TABLE audit_heads ADD COLUMN IF NOT EXISTS broken_at bigint NOT NULL DEFAULT 0;

-- What a directory was refused last, and when.
ALTER TABLE scim_directories ADD COLUMN IF NOT EXISTS failed_at datetime(6) NULL;
ALTER TABLE scim_directories ADD COLUMN IF NOT EXISTS failure varchar(500) NOT NULL DEFAULT '';

-- What the overview counts, so that it reads indexes and not rows.
CREATE INDEX IF NOT EXISTS audit_entries_outcomes ON audit_entries (organization_id, action, outcome, time);
CREATE INDEX IF NOT EXISTS sso_identities_use ON sso_identities (organization_id, connection_id, last_used_at);
CREATE INDEX IF NOT EXISTS service_tokens_use ON service_tokens (organization_id, expires_at, last_used_at, created_at, service_account_id);
CREATE INDEX IF NOT EXISTS personal_tokens_use ON personal_tokens (organization_id, expires_at, last_used_at, created_at, user_id);
CREATE INDEX IF NOT EXISTS grants_standing ON grants (organization_id, project_id, api_id, environment_id, effect, expires_at);
CREATE INDEX IF NOT EXISTS mail_messages_state ON mail_messages (organization_id, state, created_at, id);
CREATE INDEX IF NOT EXISTS users_without ON users (organization_id, status, id, last_sign_in_at);
CREATE INDEX IF NOT EXISTS factors_confirmed ON factors (organization_id, user_id, confirmed_at);

-- Reviews of who has access. scope_kind and scope_id are what they are about;
-- reviewers is a list of ids as JSON, empty where the owners of the scope decide.
-- undecided is what becomes of what nobody decides on. started_by is whose authority
-- it rests on; left_out counts grants that they could not take away. repeat_days = 0
-- is once; next_at is when the next round begins.
CREATE TABLE IF NOT EXISTS access_reviews (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    scope_kind      varchar(16) NOT NULL,
    scope_id        varchar(64) NOT NULL,
    reviewers       longtext NOT NULL,
    undecided       varchar(8) NOT NULL,
    status          varchar(16) NOT NULL,
    deadline        datetime(6) NOT NULL,
    repeat_days     bigint NOT NULL,
    round           bigint NOT NULL,
    previous_id     varchar(64) NOT NULL,
    started_by      varchar(64) NOT NULL,
    left_out        bigint NOT NULL,
    remind_at       datetime(6) NULL,
    next_at         datetime(6) NULL,
    repeat_error    varchar(500) NOT NULL,
    closed_at       datetime(6) NULL,
    closed_by       varchar(64) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS access_reviews_by_creation ON access_reviews (organization_id, created_at, id);
CREATE INDEX IF NOT EXISTS access_reviews_status ON access_reviews (organization_id, status, created_at, id);
CREATE INDEX IF NOT EXISTS access_reviews_deadline ON access_reviews (status, deadline);
CREATE INDEX IF NOT EXISTS access_reviews_reminder ON access_reviews (status, remind_at);
CREATE INDEX IF NOT EXISTS access_reviews_next ON access_reviews (next_at);

-- The grants that a review is about, as they were when it began, what was decided,
-- and what came of it.
CREATE TABLE IF NOT EXISTS access_review_items (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    review_id       varchar(64) NOT NULL,
    grant_id        varchar(64) NOT NULL,
    principal_id    varchar(64) NOT NULL,
    principal_kind  varchar(16) NOT NULL,
    role_id         varchar(64) NOT NULL,
    role_name       varchar(63) NOT NULL,
    project_id      varchar(64) NOT NULL,
    api_id          varchar(64) NOT NULL,
    environment_id  varchar(64) NOT NULL,
    granted_at      datetime(6) NOT NULL,
    granted_by      varchar(64) NOT NULL,
    expires_at      datetime(6) NULL,
    last_used_at    datetime(6) NULL,
    decision        varchar(8) NOT NULL,
    decided_by      varchar(64) NOT NULL,
    decided_at      datetime(6) NULL,
    note            varchar(1000) NOT NULL,
    outcome         varchar(16) NOT NULL,
    outcome_at      datetime(6) NULL,
    outcome_note    varchar(500) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL,
    CONSTRAINT access_review_items_review FOREIGN KEY (review_id) REFERENCES access_reviews (id)
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS access_review_items_grant ON access_review_items (review_id, grant_id);
CREATE INDEX IF NOT EXISTS access_review_items_list ON access_review_items (organization_id, review_id, decision, id);
CREATE INDEX IF NOT EXISTS access_review_items_outcome ON access_review_items (organization_id, review_id, outcome, id);
