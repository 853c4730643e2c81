-- Owners whom what the security policy asks for cannot lock out.
ALTER TABLE users ADD COLUMN break_glass boolean NOT NULL DEFAULT false;

-- How the installation sends mail, where its configuration does not say so: one
-- row. The password is encrypted.
CREATE TABLE mail_settings (
    id           varchar(64) NOT NULL PRIMARY KEY,
    host         varchar(253) NOT NULL,
    port         integer NOT NULL,
    security     varchar(16) NOT NULL,
    username     varchar(254) NOT NULL,
    password     text NOT NULL,
    from_address varchar(254) NOT NULL,
    from_name    varchar(120) NOT NULL,
    language     varchar(8) NOT NULL,
    ca           text NOT NULL,
    version      bigint NOT NULL,
    created_at   datetime NOT NULL,
    created_by   varchar(64) NOT NULL,
    updated_at   datetime NOT NULL
);

-- Mail that is to be sent, written with what causes it. What is in it is
-- encrypted, because links are secrets, and goes when it was sent.
CREATE TABLE mail_messages (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    kind            varchar(32) NOT NULL,
    recipient       varchar(254) NOT NULL,
    language        varchar(8) NOT NULL,
    data            text NOT NULL,
    state           varchar(16) NOT NULL,
    failures        integer NOT NULL,
    error           varchar(500) NOT NULL,
    begun_at        datetime NOT NULL,
    next_at         datetime NOT NULL,
    sent_at         datetime NULL,
    created_at      datetime NOT NULL
);

CREATE INDEX mail_messages_due ON mail_messages (state, next_at);
CREATE INDEX mail_messages_by_creation ON mail_messages (organization_id, created_at, id);
