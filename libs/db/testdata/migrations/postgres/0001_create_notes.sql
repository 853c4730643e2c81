CREATE TABLE notes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    name            varchar(200) NOT NULL,
    rank            bigint NOT NULL,
    open            boolean NOT NULL,
    secret          text NOT NULL,
    due_at          timestamptz NULL,
    version         bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE UNIQUE INDEX notes_name ON notes (organization_id, name);

CREATE TABLE tags (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    note_id         varchar(64) NOT NULL,
    label           varchar(64) NOT NULL,
    CONSTRAINT tags_note FOREIGN KEY (note_id) REFERENCES notes (id)
);

CREATE INDEX tags_note ON tags (note_id);
