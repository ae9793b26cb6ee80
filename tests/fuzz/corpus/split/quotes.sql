-- a comment; /* not one inside */
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN RETURN 'a;b' || $$c;$$; END $body$;
SELECT E'it\'s; ' || 'it''s;' || U&'\0041;' || "a;b" FROM "t;" /* nested /* ; */ ; */;
CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
COPY t (a, b) FROM STDIN;
1	a;b
2	\N
\.
SELECT 1 -- the last one has no semicolon
