-- Owners whom what the security policy asks for cannot lock out.
ALTER TABLE users ADD COLUMN IF NOT EXISTS break_glass boolean NOT NULL DEFAULT false;

-- How the installation sends mail, where its configuration does not say so: one
-- row. The password is encrypted.
CREATE TABLE IF NOT EXISTS mail_settings (
    id           varchar(64) NOT NULL PRIMARY KEY,
    host         varchar(253) NOT NULL,
    port         integer NOT NULL,
    security     varchar(16) NOT NULL,
    username     varchar(254) NOT NULL,
    password     longtext NOT NULL,
    from_address varchar(254) NOT NULL,
    from_name    varchar(120) NOT NULL,
    language     varchar(8) NOT NULL,
    ca           longtext NOT NULL,
    version      bigint NOT NULL,
    created_at   datetime(6) NOT NULL,
    created_by   varchar(64) NOT NULL,
    updated_at   datetime(6) NOT NULL
) ENGINE=InnoDB;

-- Mail that is to be sent, written with what causes it. What is in it is
-- encrypted, because links are secrets, and goes when it was sent.
CREATE TABLE IF NOT EXISTS mail_messages (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    kind            varchar(32) NOT NULL,
    recipient       varchar(254) NOT NULL,
    language        varchar(8) NOT NULL,
    data            longtext NOT NULL,
    state           varchar(16) NOT NULL,
    failures        integer NOT NULL,
    error           varchar(500) NOT NULL,
    begun_at        datetime(6) NOT NULL,
    next_at         datetime(6) NOT NULL,
    sent_at         datetime(6) NULL,
    created_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS mail_messages_due ON mail_messages (state, next_at);
CREATE INDEX IF NOT EXISTS mail_messages_by_creation ON mail_messages (organization_id, created_at, id);
