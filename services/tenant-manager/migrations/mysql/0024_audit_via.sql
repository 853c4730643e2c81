-- By what something was done; '' in entries of before.
ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS via varchar(16) NOT NULL DEFAULT '';

CREATE INDEX IF NOT EXISTS audit_entries_via ON audit_entries (organization_id, via, sequence);
