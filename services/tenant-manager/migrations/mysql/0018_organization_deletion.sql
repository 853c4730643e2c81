-- A deleted organization can be restored until purge_at, and is then as suspended
-- as it was. purging says that its rows are going: nothing brings it back.
ALTER TABLE organizations ADD COLUMN IF NOT EXISTS deleted_at datetime(6) NULL;
ALTER TABLE organizations ADD COLUMN IF NOT EXISTS purge_at datetime(6) NULL;
ALTER TABLE organizations ADD COLUMN IF NOT EXISTS was_suspended boolean NOT NULL DEFAULT false;
ALTER TABLE organizations ADD COLUMN IF NOT EXISTS purging boolean NOT NULL DEFAULT false;

-- Organizations that are over. Others are told of them, and their slugs are never
-- given again, since addresses, keys and gateways may still have them.
CREATE TABLE IF NOT EXISTS purged_organizations (
    id        varchar(64) NOT NULL PRIMARY KEY,
    slug      varchar(63) NOT NULL,
    purged_at datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS purged_organizations_slug ON purged_organizations (slug);
