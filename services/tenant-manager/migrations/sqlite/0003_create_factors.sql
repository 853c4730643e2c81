-- How and when somebody proved who they are: the time of the sign-in, the time
-- of the last proof since, and the methods (RFC 8176), parted by spaces. pending
-- is what has still to be done before the session is good for anything else.
ALTER TABLE sessions ADD COLUMN auth_time datetime NULL;
ALTER TABLE sessions ADD COLUMN confirmed_at datetime NULL;
ALTER TABLE sessions ADD COLUMN amr varchar(100) NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN pending varchar(16) NOT NULL DEFAULT '';

-- What people prove themselves with beside the password: authenticator apps,
-- with an encrypted secret, and passkeys. Rows without confirmed_at are being
-- set up. credential_hash is null but for passkeys.
CREATE TABLE factors (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    kind            varchar(16) NOT NULL,
    name            varchar(120) NOT NULL,
    secret          text NOT NULL,
    last_step       bigint NOT NULL,
    credential_hash varchar(64) NULL,
    relying_party   varchar(253) NOT NULL,
    confirmed_at    datetime NULL,
    last_used_at    datetime NULL,
    created_at      datetime NOT NULL
);

CREATE INDEX factors_user ON factors (organization_id, user_id);
CREATE UNIQUE INDEX factors_credential ON factors (credential_hash);

-- Codes for who has lost the rest, by their hashes.
CREATE TABLE recovery_codes (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    hash            varchar(64) NOT NULL,
    used_at         datetime NULL,
    created_at      datetime NOT NULL
);

CREATE UNIQUE INDEX recovery_codes_hash ON recovery_codes (organization_id, user_id, hash);

-- Steps that were begun and wait for their answer: a second factor after the
-- password, or what a passkey has to sign. Organization and user are empty where
-- nobody said yet who they are.
CREATE TABLE challenges (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    purpose         varchar(16) NOT NULL,
    hash            varchar(64) NOT NULL,
    amr             varchar(100) NOT NULL,
    data            text NOT NULL,
    expires_at      datetime NOT NULL,
    created_at      datetime NOT NULL
);

CREATE UNIQUE INDEX challenges_hash ON challenges (hash);
CREATE INDEX challenges_expires_at ON challenges (expires_at);
