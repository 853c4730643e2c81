-- By what something was done; '' in entries of before.
ALTER TABLE audit_entries ADD COLUMN via varchar(16) NOT NULL DEFAULT '';

CREATE INDEX audit_entries_via ON audit_entries (organization_id, via, sequence);
