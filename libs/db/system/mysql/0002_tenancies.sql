-- What tenant-manager said last of each organization: how many of what it may
-- have, as JSON, and whether it is deleted.
CREATE TABLE IF NOT EXISTS tenancies (
    organization_id varchar(64) NOT NULL PRIMARY KEY,
    version         bigint NOT NULL,
    quotas          longtext NOT NULL,
    deleted         boolean NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;
