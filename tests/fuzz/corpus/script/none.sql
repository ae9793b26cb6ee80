-- migrate:transaction none
SET a = 1;
CREATE INDEX CONCURRENTLY i ON t (a);
