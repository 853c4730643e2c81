-- The domains that organizations claim. Any number of them may claim one, and one
-- alone has it: verified is the domain then, and NULL else, so that the index holds
-- it whoever is faster. record_value is what DNS has to say; lost_at is since when it
-- does not say so any more. single_sign_on is how its people sign in, sso_groups for
-- whom it is tried first.
CREATE TABLE domains (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    domain          varchar(253) NOT NULL,
    verified        varchar(253) NULL,
    method          varchar(16) NOT NULL,
    record_value    varchar(64) NOT NULL,
    verified_at     timestamptz NULL,
    checked_at      timestamptz NULL,
    next_check_at   timestamptz NULL,
    lost_at         timestamptz NULL,
    attempts        integer NOT NULL,
    failure         varchar(16) NOT NULL,
    single_sign_on  varchar(16) NOT NULL,
    sso_groups      text NOT NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX domains_domain ON domains (organization_id, domain);
CREATE UNIQUE INDEX domains_verified ON domains (verified);
CREATE INDEX domains_by_creation ON domains (organization_id, created_at, id);
CREATE INDEX domains_next_check ON domains (next_check_at);

-- What routed people before goes on to: whoever has single sign-on for a domain has
-- it, else whoever has a directory for it.
INSERT INTO domains (id, organization_id, domain, verified, method, record_value, verified_at, attempts, failure, single_sign_on, sso_groups, version, created_at, created_by, updated_at)
SELECT d.id, d.organization_id, d.domain, CASE WHEN EXISTS (SELECT 1 FROM domains o WHERE o.domain = d.domain) THEN NULL ELSE d.domain END,
    CASE WHEN EXISTS (SELECT 1 FROM domains o WHERE o.domain = d.domain) THEN '' ELSE 'before' END, replace(CAST(gen_random_uuid() AS text), '-', ''), NULL,
    0, '', 'preferred', '[]', 1, now(), '', now()
FROM sso_domains d WHERE NOT EXISTS (SELECT 1 FROM domains o WHERE o.organization_id = d.organization_id AND o.domain = d.domain);

INSERT INTO domains (id, organization_id, domain, verified, method, record_value, verified_at, attempts, failure, single_sign_on, sso_groups, version, created_at, created_by, updated_at)
SELECT d.id, d.organization_id, d.domain, CASE WHEN EXISTS (SELECT 1 FROM domains o WHERE o.domain = d.domain) THEN NULL ELSE d.domain END,
    CASE WHEN EXISTS (SELECT 1 FROM domains o WHERE o.domain = d.domain) THEN '' ELSE 'before' END, replace(CAST(gen_random_uuid() AS text), '-', ''), NULL,
    0, '', 'preferred', '[]', 1, now(), '', now()
FROM scim_domains d WHERE NOT EXISTS (SELECT 1 FROM domains o WHERE o.organization_id = d.organization_id AND o.domain = d.domain);

-- Several organizations may name a domain; which of them has it is said above.
DROP INDEX sso_domains_domain;
DROP INDEX scim_domains_domain;
CREATE UNIQUE INDEX sso_domains_name ON sso_domains (organization_id, domain);
CREATE UNIQUE INDEX scim_domains_name ON scim_domains (organization_id, domain);

-- By which connection a session, or the first step of a sign-in, began; "" where it
-- was none.
ALTER TABLE sessions ADD COLUMN sso_connection_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE challenges ADD COLUMN sso_connection_id varchar(64) NOT NULL DEFAULT '';

-- After how many wrong passwords an account waits, how long at first and at most; 0 =
-- as the installation says. What new passwords must not be, and whether service
-- accounts may have tokens.
ALTER TABLE security_policies ADD COLUMN lockout_tries integer NOT NULL DEFAULT 0;
ALTER TABLE security_policies ADD COLUMN lockout_first_seconds integer NOT NULL DEFAULT 0;
ALTER TABLE security_policies ADD COLUMN lockout_longest_minutes integer NOT NULL DEFAULT 0;
ALTER TABLE security_policies ADD COLUMN service_tokens boolean NOT NULL DEFAULT true;
