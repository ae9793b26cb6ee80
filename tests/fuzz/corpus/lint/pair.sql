-- Why.
-- lint:ignore-file missing-down it is data
CREATE TABLE t (id int PRIMARY KEY, a char(3));
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; -- lint:ignore not-idempotent no
SELEC 1;
\d t
CREATE INDEX i ON t (a + b, date_trunc('day', x)::date DESC) WHERE at > now();
DO $$ BEGIN END $$;
-- down
DROP TABLE t CASCADE;
