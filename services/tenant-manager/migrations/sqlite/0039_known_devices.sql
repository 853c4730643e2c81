-- Browsers at which somebody has signed in, each as the hash of a secret that it keeps
-- and of who did: wrong passwords of others do not keep it waiting.
CREATE TABLE known_devices (
    id              varchar(64) NOT NULL PRIMARY KEY,
    organization_id varchar(64) NOT NULL,
    user_id         varchar(64) NOT NULL,
    used_at         datetime NOT NULL
);

CREATE INDEX known_devices_user ON known_devices (organization_id, user_id, used_at);

CREATE INDEX known_devices_used_at ON known_devices (used_at);
