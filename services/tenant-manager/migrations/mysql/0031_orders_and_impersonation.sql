-- When a user signed in last, in milliseconds since 1970; 0 = never. A list is sorted by it.
ALTER TABLE users ADD COLUMN IF NOT EXISTS seen bigint NOT NULL DEFAULT 0;

UPDATE users SET seen = TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', last_sign_in_at) DIV 1000 WHERE last_sign_in_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS users_search_by_sign_in ON users (organization_id, seen, id, name_key, email_key, status, source, second_factor, last_sign_in_at);

-- Grants of an API and in an environment, in the order in which they are shown.
CREATE INDEX IF NOT EXISTS grants_api_by_creation ON grants (organization_id, api_id, created_at, id);
CREATE INDEX IF NOT EXISTS grants_environment_by_creation ON grants (organization_id, environment_id, created_at, id);

-- Whether anybody may act as somebody else.
ALTER TABLE security_policies ADD COLUMN IF NOT EXISTS impersonation boolean NOT NULL DEFAULT true;
