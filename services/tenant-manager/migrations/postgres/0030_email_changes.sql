-- The new address of a user that a one-time code confirms; '' in codes for something else.
ALTER TABLE one_time_codes ADD COLUMN IF NOT EXISTS email varchar(254) NOT NULL DEFAULT '';
