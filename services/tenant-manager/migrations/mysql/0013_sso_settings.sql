-- What connections to identity providers of other kinds than OpenID Connect need, as
-- JSON.
ALTER TABLE sso_connections ADD COLUMN IF NOT EXISTS settings longtext NOT NULL DEFAULT '{}';
