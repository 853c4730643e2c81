-- How the pages on which people sign in, and letters, look. The id is the
-- organization's; where there is no row, they look as those of the first
-- organization do.
CREATE TABLE IF NOT EXISTS brands (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    display_name    varchar(80) NOT NULL,
    accent          varchar(7) NOT NULL,
    logo_light      varchar(64) NOT NULL,
    logo_dark       varchar(64) NOT NULL,
    language        varchar(35) NOT NULL,
    texts           longtext NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS brands_organization ON brands (organization_id);

-- Logos, by the hash of what is in them.
CREATE TABLE IF NOT EXISTS brand_images (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    hash            varchar(64) NOT NULL,
    media_type      varchar(40) NOT NULL,
    width           integer NOT NULL,
    height          integer NOT NULL,
    content         longblob NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS brand_images_hash ON brand_images (organization_id, hash);
CREATE INDEX IF NOT EXISTS brand_images_by_hash ON brand_images (hash);

-- What an organization writes in letters, in place of what Gatehouse does.
CREATE TABLE IF NOT EXISTS letters (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    kind            varchar(32) NOT NULL,
    language        varchar(35) NOT NULL,
    subject         varchar(200) NOT NULL,
    greeting        varchar(200) NOT NULL,
    body            longtext NOT NULL,
    action          varchar(80) NOT NULL,
    until_text      varchar(200) NOT NULL,
    footer          varchar(500) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS letters_kind ON letters (organization_id, kind, language);

-- In which language somebody is written to; '' = none was chosen.
ALTER TABLE users ADD COLUMN IF NOT EXISTS language varchar(35) NOT NULL DEFAULT '';
ALTER TABLE invitations ADD COLUMN IF NOT EXISTS language varchar(35) NOT NULL DEFAULT '';

-- Where an organization is told of what happens. Deliveries come from the audit
-- trail: seen is the sequence up to which it was looked through. The secrets are
-- encrypted; the one before is good until previous_until.
CREATE TABLE IF NOT EXISTS webhooks (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    address         varchar(500) NOT NULL,
    events          longtext NOT NULL,
    secret          longtext NOT NULL,
    previous_secret longtext NOT NULL,
    previous_until  datetime(6) NULL,
    ca              longtext NOT NULL,
    enabled         boolean NOT NULL,
    seen            bigint NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS webhooks_name ON webhooks (organization_id, name_key);

CREATE TABLE IF NOT EXISTS webhook_deliveries (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    webhook_id      varchar(64) NOT NULL,
    event           varchar(64) NOT NULL,
    body            longtext NOT NULL,
    state           varchar(16) NOT NULL,
    attempts        integer NOT NULL,
    status_code     integer NOT NULL,
    error           varchar(500) NOT NULL,
    answer          varchar(1000) NOT NULL,
    took_ms         integer NOT NULL,
    begun_at        datetime(6) NOT NULL,
    next_at         datetime(6) NOT NULL,
    delivered_at    datetime(6) NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS webhook_deliveries_due ON webhook_deliveries (state, next_at);
CREATE INDEX IF NOT EXISTS webhook_deliveries_by_creation ON webhook_deliveries (organization_id, webhook_id, created_at, id);

-- Languages have names of up to 35 characters (RFC 5646).
ALTER TABLE mail_messages MODIFY COLUMN language varchar(35) NOT NULL;
