-- A deleted organization can be restored until purge_at, and is then as suspended
-- as it was. purging says that its rows are going: nothing brings it back.
ALTER TABLE organizations ADD COLUMN deleted_at timestamptz NULL;
ALTER TABLE organizations ADD COLUMN purge_at timestamptz NULL;
ALTER TABLE organizations ADD COLUMN was_suspended boolean NOT NULL DEFAULT false;
ALTER TABLE organizations ADD COLUMN purging boolean NOT NULL DEFAULT false;

-- Organizations that are over. Others are told of them, and their slugs are never
-- given again, since addresses, keys and gateways may still have them.
CREATE TABLE purged_organizations (
    id        varchar(64) NOT NULL PRIMARY KEY,
    slug      varchar(63) NOT NULL,
    purged_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX purged_organizations_slug ON purged_organizations (slug);
