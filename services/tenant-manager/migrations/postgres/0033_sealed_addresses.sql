-- Addresses of webhooks and of receivers of the audit trail often let in whoever knows
-- them: they are encrypted. Texts in address are encrypted at the start, and emptied.
ALTER TABLE webhooks ADD COLUMN sealed_address text NOT NULL DEFAULT '';
ALTER TABLE audit_receivers ADD COLUMN sealed_address text NOT NULL DEFAULT '';
