-- Who made a one-time code for somebody else; '' = they themselves asked for it. Links
-- of before do not say so, and have to be asked for again.
ALTER TABLE one_time_codes ADD COLUMN made_by varchar(64) NOT NULL DEFAULT '';
DELETE FROM one_time_codes WHERE purpose = 'password';

-- When an invitation was taken back because whoever made it was disabled or deleted.
ALTER TABLE invitations ADD COLUMN withdrawn_at datetime NULL;
