-- majors: 13-18
-- May this role see the statements and states of other roles' sessions?
SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_others
