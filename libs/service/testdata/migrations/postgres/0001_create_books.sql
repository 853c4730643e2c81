CREATE TABLE books (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  title TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (organization_id, id)
);
