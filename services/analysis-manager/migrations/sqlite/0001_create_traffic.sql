-- Shipments that were taken in: what comes again is told by its id.
CREATE TABLE IF NOT EXISTS batches (
    id          varchar(64) NOT NULL PRIMARY KEY,
    records     integer NOT NULL,
    received_us bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS batches_received ON batches (received_us);

-- Traffic records as the gateways wrote them: JSON lines, zstd. A record is a
-- line of a chunk.
CREATE TABLE IF NOT EXISTS chunks (
    organization_id varchar(64) NOT NULL,
    id              varchar(40) NOT NULL,
    newest_us       bigint NOT NULL,
    body            blob NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX IF NOT EXISTS chunks_newest ON chunks (newest_us);

-- What requests are searched by. Times are microseconds since 1970, UTC: the
-- order of a bigint is the same everywhere, and cheap.
CREATE TABLE IF NOT EXISTS records (
    organization_id  varchar(64) NOT NULL,
    id               varchar(128) NOT NULL,
    time_us          bigint NOT NULL,
    project          varchar(128) NOT NULL,
    environment      varchar(128) NOT NULL,
    api              varchar(128) NOT NULL,
    api_name         varchar(255) NOT NULL,
    operation        varchar(255) NOT NULL,
    template         varchar(1024) NOT NULL,
    plan             varchar(128) NOT NULL,
    application      varchar(128) NOT NULL,
    application_name varchar(255) NOT NULL,
    gateway          varchar(128) NOT NULL,
    method           varchar(32) NOT NULL,
    host             varchar(255) NOT NULL,
    path             varchar(2048) NOT NULL,
    status           integer NOT NULL,
    error_source     varchar(16) NOT NULL,
    error_code       varchar(64) NOT NULL,
    duration_us      bigint NOT NULL,
    gateway_us       bigint NOT NULL,
    chunk            varchar(40) NOT NULL,
    line             integer NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX IF NOT EXISTS records_time ON records (organization_id, time_us, id);

CREATE INDEX IF NOT EXISTS records_api ON records (organization_id, api, time_us);

-- Sums over the requests of a minute (resolution 60) or an hour (3600) that have
-- everything below in common. Each transaction adds rows of its own, so that
-- nobody waits for anybody; rows of the same key are merged later, and a reader
-- adds up what it finds.
CREATE TABLE IF NOT EXISTS rollups (
    id               varchar(40) NOT NULL PRIMARY KEY,
    organization_id  varchar(64) NOT NULL,
    resolution       integer NOT NULL,
    time_s           bigint NOT NULL,
    merged           integer NOT NULL,
    project          varchar(128) NOT NULL,
    environment      varchar(128) NOT NULL,
    api              varchar(128) NOT NULL,
    operation        varchar(255) NOT NULL,
    plan             varchar(128) NOT NULL,
    application      varchar(128) NOT NULL,
    gateway          varchar(128) NOT NULL,
    status           integer NOT NULL,
    error_code       varchar(64) NOT NULL,
    api_name         varchar(255) NOT NULL,
    operation_name   varchar(1100) NOT NULL,
    application_name varchar(255) NOT NULL,
    requests         bigint NOT NULL,
    refused          bigint NOT NULL,
    request_bytes    bigint NOT NULL,
    response_bytes   bigint NOT NULL,
    max_us           bigint NOT NULL,
    newest_us        bigint NOT NULL,
    duration         blob NOT NULL,
    gateway_time     blob NOT NULL
);

CREATE INDEX IF NOT EXISTS rollups_time ON rollups (organization_id, resolution, time_s);

CREATE INDEX IF NOT EXISTS rollups_merged ON rollups (merged, resolution, time_s, organization_id);

CREATE INDEX IF NOT EXISTS rollups_age ON rollups (resolution, time_s);
