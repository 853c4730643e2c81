CREATE TABLE books (
  organization_id VARCHAR(255) NOT NULL,
  id VARCHAR(255) NOT NULL,
  version BIGINT NOT NULL,
  title VARCHAR(255) NOT NULL,
  note VARCHAR(255) NOT NULL,
  PRIMARY KEY (organization_id, id)
);
