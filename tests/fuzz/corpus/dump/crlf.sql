INSERT INTO t VALUES (E'\\', 1);
COPY t FROM STDIN;
a
\.
\! ls
