-- Addresses of webhooks and of receivers of the audit trail often let in whoever knows
-- them: they are encrypted. Texts in address are encrypted at the start, and emptied.
ALTER TABLE webhooks ADD COLUMN IF NOT EXISTS sealed_address longtext NOT NULL DEFAULT '';
ALTER TABLE audit_receivers ADD COLUMN IF NOT EXISTS sealed_address longtext NOT NULL DEFAULT '';
