-- Screen: login. Addresses are stored in lower case.
-- bind $1: SELECT email FROM users WHERE is_active ORDER BY email LIMIT 1
SELECT id, full_name, role, assigned_location_id, permissions
FROM users
WHERE email = lower($1) AND is_active;
