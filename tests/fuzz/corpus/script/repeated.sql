-- +goose Up
CREATE TABLE a ();
-- +goose Down
DROP TABLE a;
-- migrate:down
