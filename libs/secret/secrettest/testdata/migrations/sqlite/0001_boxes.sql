CREATE TABLE boxes (
    id      varchar(64) NOT NULL PRIMARY KEY,
    note    text NOT NULL,
    written varchar(500) NOT NULL
);
