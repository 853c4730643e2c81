-- The job whose rows that were refused or failed a job tries again; '' = none.
ALTER TABLE bulk_jobs ADD COLUMN IF NOT EXISTS retry_of varchar(64) NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS bulk_jobs_again ON bulk_jobs (organization_id, retry_of, created_at, id);
