CREATE TABLE IF NOT EXISTS boxes (
    id      varchar(64) NOT NULL PRIMARY KEY,
    note    longtext NOT NULL,
    written varchar(500) NOT NULL
) ENGINE=InnoDB;
