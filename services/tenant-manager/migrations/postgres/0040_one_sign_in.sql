-- The session that one at an app came of by OpenID Connect, and for which app; '' = it is
-- one of its own. switched_from is the one, in another organization, that somebody was in
-- when they switched.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS parent_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS client varchar(64) NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS switched_from varchar(64) NOT NULL DEFAULT '';
ALTER TABLE challenges ADD COLUMN IF NOT EXISTS switched_from varchar(64) NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS sessions_parent ON sessions (parent_id);
CREATE INDEX IF NOT EXISTS sessions_switched_from ON sessions (switched_from);
