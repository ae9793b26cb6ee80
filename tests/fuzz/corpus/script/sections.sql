/* a */ -- +goose Up
SELECT 1;
-- migrate:down
SELECT $$x$$;
