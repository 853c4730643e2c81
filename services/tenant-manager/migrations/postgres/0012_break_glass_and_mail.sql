-- Owners whom what the security policy asks for cannot lock out.
ALTER TABLE users ADD COLUMN break_glass boolean NOT NULL DEFAULT false;
