-- What a credential is looked up by where that is no secret, such as the client id,
-- and until when what it had before a rotation goes on to work.
ALTER TABLE credentials ADD COLUMN IF NOT EXISTS identifier varchar(255) NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN IF NOT EXISTS previous_ends_at datetime(6) NULL;

CREATE INDEX IF NOT EXISTS credentials_kind ON credentials (organization_id, kind, application_id);
