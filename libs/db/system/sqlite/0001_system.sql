-- Events that were committed together with the change that they tell of.
CREATE TABLE IF NOT EXISTS outbox (
    id          integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    lane        integer NOT NULL,
    message_id  varchar(40) NOT NULL,
    subject     varchar(255) NOT NULL,
    message_key varchar(255) NOT NULL,
    body        blob NOT NULL,
    created_at  datetime NOT NULL,
    sent_at     datetime NULL
);

CREATE INDEX IF NOT EXISTS outbox_sent_at ON outbox (sent_at, lane, id);

-- A relay holds the lock of a lane while it publishes the lane's messages: what
-- has the same key is in the same lane.
CREATE TABLE IF NOT EXISTS outbox_lanes (
    lane integer NOT NULL PRIMARY KEY
);

INSERT INTO outbox_lanes (lane)
VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

-- Keys whose next message could not be published, and rest.
CREATE TABLE IF NOT EXISTS outbox_stalls (
    message_key varchar(255) NOT NULL PRIMARY KEY,
    attempts    integer NOT NULL,
    not_before  datetime NOT NULL,
    last_error  varchar(1000) NOT NULL
);

-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    organization_id varchar(64) NOT NULL,
    idempotency_key varchar(255) NOT NULL,
    request_hash    varchar(64) NOT NULL,
    status          integer NOT NULL,
    header          text NOT NULL,
    body            blob NOT NULL,
    created_at      datetime NOT NULL,
    PRIMARY KEY (organization_id, idempotency_key)
);

CREATE INDEX IF NOT EXISTS idempotency_keys_created_at ON idempotency_keys (created_at);
