-- In which other organizations the password of the sign-in was right, with what tells
-- that it still is: there people go on without typing it again.
ALTER TABLE sessions ADD COLUMN proven varchar(1000) NOT NULL DEFAULT '';
ALTER TABLE challenges ADD COLUMN proven varchar(1000) NOT NULL DEFAULT '';

-- When somebody proved who they are, who came from another organization; NULL = now.
ALTER TABLE challenges ADD COLUMN auth_time timestamptz NULL;

-- Who proved before this who they are has to do so again; NULL = nobody has.
ALTER TABLE users ADD COLUMN proofs_after timestamptz NULL;

-- Organizations that people want at hand, or used last.
CREATE TABLE organization_marks (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    target_id       varchar(64) NOT NULL,
    favourite_at    timestamptz NULL,
    used_at         timestamptz NULL
);

CREATE UNIQUE INDEX organization_marks_target ON organization_marks (organization_id, user_id, target_id);
