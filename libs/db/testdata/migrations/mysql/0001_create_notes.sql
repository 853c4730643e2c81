CREATE TABLE IF NOT EXISTS notes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    rank            bigint NOT NULL,
    open            boolean NOT NULL,
    secret          longtext NOT NULL,
    due_at          datetime(6) NULL,
    version         bigint NOT NULL,
    created_at      datetime(6) NOT NULL,
    updated_at      datetime(6) NOT NULL
) ENGINE=InnoDB;

CREATE UNIQUE INDEX IF NOT EXISTS notes_name ON notes (organization_id, name);

CREATE TABLE IF NOT EXISTS tags (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    note_id         varchar(64) NOT NULL,
    label           varchar(64) NOT NULL,
    CONSTRAINT tags_note FOREIGN KEY (note_id) REFERENCES notes (id)
) ENGINE=InnoDB;

CREATE INDEX IF NOT EXISTS tags_note ON tags (note_id);
