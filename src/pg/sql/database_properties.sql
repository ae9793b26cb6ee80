-- majors: 13-18
-- How the database $1 was made: what a new one beside it must be given to take its place.
SELECT d.oid::text AS oid,
       pg_get_userbyid(d.datdba) AS owner,
       pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate,
       d.datctype AS ctype,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') AS locale_provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
       d.datistemplate AS is_template,
       d.datallowconn AS allows_connections,
       d.datconnlimit AS connection_limit,
       d.datacl IS NOT NULL AS has_grants,
       t.spcname AS tablespace,
       shobj_description(d.oid, 'pg_database') AS comment,
       pg_database_size(d.oid) AS bytes
FROM pg_database AS d
JOIN pg_tablespace AS t ON t.oid = d.dattablespace
WHERE d.datname = $1::text
