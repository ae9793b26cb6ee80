-- Screen: audit trail of one entity, newest first.
-- bind $1: SELECT 'facility'
-- bind $2: SELECT entity_id FROM audit_logs WHERE entity_type = 'facility' ORDER BY entity_id LIMIT 1
SELECT audit.created_at, audit.action, audit.changes, account.full_name
FROM audit_logs AS audit
LEFT JOIN users AS account ON account.id = audit.user_id
WHERE audit.entity_type = $1 AND audit.entity_id = $2
ORDER BY audit.created_at DESC
LIMIT 100;
