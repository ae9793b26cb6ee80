-- majors: 13-18
-- Privileges on the database $1 itself, one a row; grantee is NULL for PUBLIC.
SELECT r.rolname AS grantee, a.privilege_type AS privilege, a.is_grantable AS grantable
FROM pg_database AS d
CROSS JOIN LATERAL aclexplode(d.datacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE d.datname = $1::text AND (a.grantee = 0 OR r.rolname IS NOT NULL)
ORDER BY 1, 2
