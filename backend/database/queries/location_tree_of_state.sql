-- Screen: administration, every LGA and facility below a state.
-- bind $1: SELECT parent_id FROM locations WHERE type = 'lga' AND id IN (SELECT parent_id FROM locations WHERE type = 'facility') ORDER BY code LIMIT 1
WITH RECURSIVE tree AS (
    SELECT id, parent_id, code, name, type, 0 AS depth
    FROM locations
    WHERE id = $1
    UNION ALL
    SELECT child.id, child.parent_id, child.code, child.name, child.type, tree.depth + 1
    FROM locations AS child
    JOIN tree ON child.parent_id = tree.id
)
SELECT id, parent_id, code, name, type, depth
FROM tree
ORDER BY depth, code;
