-- Clients that prove who they are by a certificate of an authority, and tokens that
-- are bound to one (RFC 8705).
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS certificate_authority longtext NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS certificate_subject varchar(500) NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS certificate_bound boolean NOT NULL DEFAULT false;

-- Clients that registered themselves (RFC 7591): where their keys are, and what they
-- said and may say, as JSON.
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS jwks_uri varchar(500) NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN IF NOT EXISTS registration longtext NOT NULL DEFAULT '';

-- What clients may have that register themselves by a token, as JSON.
ALTER TABLE oauth_initial_tokens ADD COLUMN IF NOT EXISTS scopes longtext NOT NULL DEFAULT '[]';
ALTER TABLE oauth_initial_tokens ADD COLUMN IF NOT EXISTS grant_types longtext NOT NULL DEFAULT '[]';
ALTER TABLE oauth_initial_tokens ADD COLUMN IF NOT EXISTS audiences longtext NOT NULL DEFAULT '[]';
