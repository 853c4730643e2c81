-- What users.proofs_after was when the first step of a sign-in was right: where it is
-- something else now, the challenge is good for nothing.
ALTER TABLE challenges ADD COLUMN IF NOT EXISTS proofs_after datetime(6) NULL;

-- By the groups of which single sign-on a role was given; '' = by hand. One that is given
-- by hand for a time stands beside one that groups give.
ALTER TABLE grants ADD COLUMN IF NOT EXISTS sso_connection_id varchar(64) NOT NULL DEFAULT '';
DROP INDEX IF EXISTS grants_of ON grants;
CREATE UNIQUE INDEX IF NOT EXISTS grants_of ON grants (organization_id, principal_id, role_id, project_id, api_id, environment_id, effect, sso_connection_id);
