-- Clients that prove who they are by a certificate of an authority, and tokens that
-- are bound to one (RFC 8705).
ALTER TABLE oauth_clients ADD COLUMN certificate_authority text NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN certificate_subject varchar(500) NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN certificate_bound boolean NOT NULL DEFAULT false;

-- Clients that registered themselves (RFC 7591): where their keys are, and what they
-- said and may say, as JSON.
ALTER TABLE oauth_clients ADD COLUMN jwks_uri varchar(500) NOT NULL DEFAULT '';
ALTER TABLE oauth_clients ADD COLUMN registration text NOT NULL DEFAULT '';

-- What clients may have that register themselves by a token, as JSON.
ALTER TABLE oauth_initial_tokens ADD COLUMN scopes text NOT NULL DEFAULT '[]';
ALTER TABLE oauth_initial_tokens ADD COLUMN grant_types text NOT NULL DEFAULT '[]';
ALTER TABLE oauth_initial_tokens ADD COLUMN audiences text NOT NULL DEFAULT '[]';
