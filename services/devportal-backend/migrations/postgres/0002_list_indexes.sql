-- The orders in which lists are shown.

CREATE INDEX IF NOT EXISTS catalogue_apis_created ON catalogue_apis (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS catalogue_apis_updated ON catalogue_apis (organization_id, updated_at, id);

CREATE INDEX IF NOT EXISTS applications_owner_created ON applications (organization_id, owner_id, created_at, id);

CREATE INDEX IF NOT EXISTS credentials_list ON credentials (organization_id, application_id, purpose, created_at, id);

CREATE INDEX IF NOT EXISTS subscriptions_updated ON subscriptions (organization_id, updated_at, id);

CREATE INDEX IF NOT EXISTS subscriptions_status ON subscriptions (organization_id, status, created_at, id);

CREATE INDEX IF NOT EXISTS subscriptions_api_created ON subscriptions (organization_id, api_id, created_at, id);

CREATE INDEX IF NOT EXISTS subscriptions_by_status ON subscriptions (organization_id, status, id);
