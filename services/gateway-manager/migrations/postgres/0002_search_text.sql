-- What is searched is one folded text a row, written with the row; indexes that
-- have it, or the order of a list, keep searching and sorting off the rows.

ALTER TABLE apis ADD COLUMN IF NOT EXISTS search_text varchar(420) NOT NULL DEFAULT '';

-- repeat
UPDATE apis SET search_text = lower(name || ' ' || slug)
WHERE id IN (SELECT id FROM apis WHERE search_text = '' LIMIT 1000);

ALTER TABLE projects ADD COLUMN IF NOT EXISTS search_text varchar(420) NOT NULL DEFAULT '';

-- repeat
UPDATE projects SET search_text = lower(name || ' ' || slug)
WHERE id IN (SELECT id FROM projects WHERE search_text = '' LIMIT 1000);

ALTER TABLE environments ADD COLUMN IF NOT EXISTS search_text varchar(420) NOT NULL DEFAULT '';

-- repeat
UPDATE environments SET search_text = lower(name || ' ' || slug)
WHERE id IN (SELECT id FROM environments WHERE search_text = '' LIMIT 1000);

ALTER TABLE gateway_groups ADD COLUMN IF NOT EXISTS search_text varchar(420) NOT NULL DEFAULT '';

-- repeat
UPDATE gateway_groups SET search_text = lower(name || ' ' || slug)
WHERE id IN (SELECT id FROM gateway_groups WHERE search_text = '' LIMIT 1000);

ALTER TABLE gateways ADD COLUMN IF NOT EXISTS search_text varchar(420) NOT NULL DEFAULT '';

-- repeat
UPDATE gateways SET search_text = lower(name || ' ' || build)
WHERE id IN (SELECT id FROM gateways WHERE search_text = '' LIMIT 1000);

CREATE INDEX IF NOT EXISTS apis_search ON apis (organization_id, name, id, search_text);

CREATE INDEX IF NOT EXISTS apis_created ON apis (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS projects_created ON projects (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS projects_updated ON projects (organization_id, updated_at, id);

CREATE INDEX IF NOT EXISTS environments_order ON environments (organization_id, position, id);

CREATE INDEX IF NOT EXISTS gateway_groups_name ON gateway_groups (organization_id, name, id);

CREATE INDEX IF NOT EXISTS gateway_groups_created ON gateway_groups (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS gateway_groups_updated ON gateway_groups (organization_id, updated_at, id);

CREATE INDEX IF NOT EXISTS gateways_by_name ON gateways (organization_id, name, id);

CREATE INDEX IF NOT EXISTS gateways_state ON gateways (organization_id, group_id, stopped, last_seen_at);

CREATE INDEX IF NOT EXISTS gateways_created ON gateways (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS routes_of_api ON routes (organization_id, api_id);

CREATE INDEX IF NOT EXISTS deployments_by_state ON deployments (organization_id, state, created_at, id);

CREATE INDEX IF NOT EXISTS deployments_by_environment ON deployments (organization_id, environment_id, created_at, id);

-- Its columns begin apis_search.
DROP INDEX IF EXISTS apis_name;
