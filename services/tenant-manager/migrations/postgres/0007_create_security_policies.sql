-- What an organization asks of those who sign in. The id is the organization's;
-- where there is no row, everything is as the installation says. 0 = no bound of
-- its own. mfa_since is when a second factor began to be asked for.
CREATE TABLE security_policies (
    id                     varchar(64) NOT NULL PRIMARY KEY,
    organization_id        varchar(64) NOT NULL,
    password_min_length    integer NOT NULL,
    mfa                    varchar(16) NOT NULL,
    mfa_grace_days         integer NOT NULL,
    mfa_since              timestamptz NULL,
    session_idle_minutes   integer NOT NULL,
    session_lifetime_hours integer NOT NULL,
    allowed_addresses      text NOT NULL,
    token_lifetime_days    integer NOT NULL,
    version                bigint NOT NULL,
    created_at             timestamptz NOT NULL,
    created_by             varchar(64) NOT NULL,
    updated_at             timestamptz NOT NULL
);

CREATE UNIQUE INDEX security_policies_organization ON security_policies (organization_id);

-- Whoever asked for a new password and waits for an administrator's link.
CREATE TABLE password_requests (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    ip              varchar(64) NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX password_requests_user ON password_requests (organization_id, user_id);
