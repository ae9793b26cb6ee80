-- majors: 13-18
-- ALTER DATABASE ... SET and ALTER ROLE ... IN DATABASE ... SET of the database $1, one a row; role
-- is NULL for all roles.
SELECT r.rolname AS role,
       split_part(c.setting, '=', 1) AS name,
       substr(c.setting, strpos(c.setting, '=') + 1) AS value
FROM pg_db_role_setting AS s
JOIN pg_database AS d ON d.oid = s.setdatabase
LEFT JOIN pg_roles AS r ON r.oid = s.setrole
CROSS JOIN LATERAL unnest(s.setconfig) AS c(setting)
WHERE d.datname = $1::text
ORDER BY 1 NULLS FIRST, 2
