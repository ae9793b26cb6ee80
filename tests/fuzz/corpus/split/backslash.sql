\connect other
SELECT 1;