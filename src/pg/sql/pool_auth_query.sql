-- majors: 13-18
SELECT rolname,
       CASE WHEN rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now() THEN NULL ELSE rolpassword END
FROM pg_catalog.pg_authid
WHERE rolname OPERATOR(pg_catalog.=) $1 AND rolcanlogin
