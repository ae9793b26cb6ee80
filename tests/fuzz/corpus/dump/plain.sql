--
-- PostgreSQL database dump
--

\restrict abc

SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE FUNCTION public.f() RETURNS integer LANGUAGE plpgsql AS $body$ BEGIN RETURN 1; END $body$;
CREATE FUNCTION public.g(x integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN (x > 0) THEN 1 ELSE 2 END; END;
/* a /* nested */ ; comment */
COPY public."we;ird" (a, "from") FROM stdin;
1	\N
\N	\.x
\\.	2
\.

COPY public.empty (a) FROM stdin;
\.


SELECT E'a\'b;', U&'c', $$;$$, "a"";b" FROM t; SELECT 2;
--
-- PostgreSQL database dump complete
--

\unrestrict abc
