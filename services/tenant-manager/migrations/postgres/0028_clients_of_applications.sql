-- OAuth2 clients that are credentials of an application of the portal, whose id and
-- name they have. Others have none.
ALTER TABLE oauth_clients ADD COLUMN application_id varchar(64) NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN application_name varchar(200) NOT NULL DEFAULT '';

CREATE INDEX oauth_clients_application ON oauth_clients (organization_id, application_id);
