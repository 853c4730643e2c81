-- The orders in which lists are shown, with what is searched, so that searching
-- reads an index and not the rows.

CREATE INDEX IF NOT EXISTS policy_sets_by_creation ON policy_sets (organization_id, created_at, id);

CREATE INDEX IF NOT EXISTS policy_sets_by_change ON policy_sets (organization_id, updated_at, id);
