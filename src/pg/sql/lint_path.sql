-- majors: 13-18
-- The search path of the session, before anything changes it.
SELECT current_setting('search_path') AS search_path, current_user AS user_name
