-- What people prefer on the screens: theme, columns and views of lists. The id is the
-- user's; where there is no row, they have chosen nothing.
CREATE TABLE preferences (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    document        text NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE INDEX preferences_organization ON preferences (organization_id);
