-- The job whose rows that were refused or failed a job tries again; '' = none.
ALTER TABLE bulk_jobs ADD COLUMN retry_of varchar(64) NOT NULL DEFAULT '';
CREATE INDEX bulk_jobs_again ON bulk_jobs (organization_id, retry_of, created_at, id);
