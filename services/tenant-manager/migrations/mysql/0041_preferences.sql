-- What people prefer on the screens: theme, columns and views of lists. The id is the
-- user's; where there is no row, they have chosen nothing.
CREATE TABLE IF NOT EXISTS preferences (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    document        longtext NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS preferences_organization ON preferences (organization_id);
