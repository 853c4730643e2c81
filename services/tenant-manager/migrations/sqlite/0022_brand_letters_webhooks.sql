-- How the pages on which people sign in, and letters, look. The id is the
-- organization's; where there is no row, they look as those of the first
-- organization do.
CREATE TABLE brands (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    display_name    varchar(80) NOT NULL,
    accent          varchar(7) NOT NULL,
    logo_light      varchar(64) NOT NULL,
    logo_dark       varchar(64) NOT NULL,
    language        varchar(35) NOT NULL,
    texts           text NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE UNIQUE INDEX brands_organization ON brands (organization_id);

-- Logos, by the hash of what is in them.
CREATE TABLE brand_images (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    hash            varchar(64) NOT NULL,
    media_type      varchar(40) NOT NULL,
    width           integer NOT NULL,
    height          integer NOT NULL,
    content         blob NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL
);

CREATE UNIQUE INDEX brand_images_hash ON brand_images (organization_id, hash);
CREATE INDEX brand_images_by_hash ON brand_images (hash);

-- What an organization writes in letters, in place of what Gatehouse does.
CREATE TABLE letters (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    kind            varchar(32) NOT NULL,
    language        varchar(35) NOT NULL,
    subject         varchar(200) NOT NULL,
    greeting        varchar(200) NOT NULL,
    body            text NOT NULL,
    action          varchar(80) NOT NULL,
    until_text      varchar(200) NOT NULL,
    footer          varchar(500) NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE UNIQUE INDEX letters_kind ON letters (organization_id, kind, language);

-- In which language somebody is written to; '' = none was chosen.
ALTER TABLE users ADD COLUMN language varchar(35) NOT NULL DEFAULT '';
ALTER TABLE invitations ADD COLUMN language varchar(35) NOT NULL DEFAULT '';

-- Where an organization is told of what happens. Deliveries come from the audit
-- trail: seen is the sequence up to which it was looked through. The secrets are
-- encrypted; the one before is good until previous_until.
CREATE TABLE webhooks (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(120) NOT NULL,
    name_key        varchar(120) NOT NULL,
    address         varchar(500) NOT NULL,
    events          text NOT NULL,
    secret          text NOT NULL,
    previous_secret text NOT NULL,
    previous_until  datetime NULL,
    ca              text NOT NULL,
    enabled         boolean NOT NULL,
    seen            bigint NOT NULL,
    version         bigint NOT NULL,
    created_at      datetime NOT NULL,
    created_by      varchar(64) NOT NULL,
    updated_at      datetime NOT NULL
);

CREATE UNIQUE INDEX webhooks_name ON webhooks (organization_id, name_key);

CREATE TABLE webhook_deliveries (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    webhook_id      varchar(64) NOT NULL,
    event           varchar(64) NOT NULL,
    body            text NOT NULL,
    state           varchar(16) NOT NULL,
    attempts        integer NOT NULL,
    status_code     integer NOT NULL,
    error           varchar(500) NOT NULL,
    answer          varchar(1000) NOT NULL,
    took_ms         integer NOT NULL,
    begun_at        datetime NOT NULL,
    next_at         datetime NOT NULL,
    delivered_at    datetime NULL,
    created_at      datetime NOT NULL
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (state, next_at);
CREATE INDEX webhook_deliveries_by_creation ON webhook_deliveries (organization_id, webhook_id, created_at, id);

-- Languages have names of up to 35 characters (RFC 5646).
ALTER TABLE mail_messages RENAME COLUMN language TO language_before;
ALTER TABLE mail_messages ADD COLUMN language varchar(35) NOT NULL DEFAULT '';
UPDATE mail_messages SET language = language_before;
ALTER TABLE mail_messages DROP COLUMN language_before;
