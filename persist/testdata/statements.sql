COMMIT
CREATE TABLE IF NOT EXISTS admin_token ( id CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, name VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, role VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, hash CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, created_ms BIGINT NOT NULL, created_by VARCHAR(1) NOT NULL, expires_ms BIGINT NOT NULL, last_used_ms BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE KEY by_name (name) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS audience_chunk ( list_no BIGINT UNSIGNED NOT NULL, chunk_no INT UNSIGNED NOT NULL, bytes MEDIUMBLOB NOT NULL, PRIMARY KEY (list_no, chunk_no) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS audience_key ( id TINYINT UNSIGNED NOT NULL, secret CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, PRIMARY KEY (id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS audience_list ( list_no BIGINT UNSIGNED NOT NULL, removing TINYINT UNSIGNED NOT NULL, updated_ms BIGINT NOT NULL, PRIMARY KEY (list_no) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS audiences ( id INT UNSIGNED NOT NULL AUTO_INCREMENT, `key` VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, version INT UNSIGNED NOT NULL, deleted TINYINT UNSIGNED NOT NULL, rule MEDIUMTEXT NULL, list_no BIGINT UNSIGNED NOT NULL, members BIGINT UNSIGNED NOT NULL, updated_at BIGINT NOT NULL, actor VARCHAR(1) NOT NULL, PRIMARY KEY (id), UNIQUE KEY by_key (`key`) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS audit ( id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, at_ms BIGINT NOT NULL, actor VARCHAR(1) NOT NULL, action VARCHAR(1) NOT NULL, object VARCHAR(1) NOT NULL, from_version INT UNSIGNED NOT NULL, to_version INT UNSIGNED NOT NULL, PRIMARY KEY (id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS config_change ( revision BIGINT NOT NULL, nonce BIGINT NOT NULL, popup_id INT UNSIGNED NOT NULL, PRIMARY KEY (revision) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS config_revision ( id TINYINT UNSIGNED NOT NULL, revision BIGINT NOT NULL, PRIMARY KEY (id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS console_session ( id CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, hash CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, name VARCHAR(1) NOT NULL, role VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, bond CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, created_ms BIGINT NOT NULL, seen_ms BIGINT NOT NULL, ends_ms BIGINT NOT NULL, PRIMARY KEY (id), KEY by_name (name(1)), KEY by_created (created_ms) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS dead_frame ( stream_no INT UNSIGNED NOT NULL, first_seq BIGINT UNSIGNED NOT NULL, last_seq BIGINT UNSIGNED NOT NULL, bytes BLOB NULL, reason VARCHAR(1) NOT NULL, at_ms BIGINT NOT NULL, PRIMARY KEY (stream_no, first_seq) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS erasure ( id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, user_id VARBINARY(1) NOT NULL, at_ms BIGINT NOT NULL, queued_ms BIGINT NOT NULL, done_ms BIGINT NOT NULL, PRIMARY KEY (id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS event ( stream_no INT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL, at_ms BIGINT NOT NULL, user_id VARBINARY(1) NOT NULL, popup_id INT UNSIGNED NOT NULL, version INT UNSIGNED NOT NULL, variant VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, action TINYINT UNSIGNED NOT NULL, served_at_ms BIGINT NOT NULL, nth INT UNSIGNED NOT NULL, PRIMARY KEY (stream_no, seq) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS experiment_count ( popup_id INT UNSIGNED NOT NULL, version INT UNSIGNED NOT NULL, variant VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, outcome VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, days INT UNSIGNED NOT NULL, users BIGINT NOT NULL, PRIMARY KEY (popup_id, version, variant, outcome, days) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS experiment_decision ( popup_id INT UNSIGNED NOT NULL, goal VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, variant VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, at_ms BIGINT NOT NULL, lift DOUBLE NOT NULL, lift_low DOUBLE NOT NULL, lift_high DOUBLE NOT NULL, PRIMARY KEY (popup_id, goal, variant) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS experiment_progress ( stream_no INT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL, PRIMARY KEY (stream_no) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS experiment_user ( user_id VARBINARY(1) NOT NULL, popup_id INT UNSIGNED NOT NULL, exposed_ms BIGINT NOT NULL, version INT UNSIGNED NOT NULL, variant VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, mixed_ms BIGINT NOT NULL, click_ms BIGINT NOT NULL, convert_ms BIGINT NOT NULL, PRIMARY KEY (user_id, popup_id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS goal_pending ( user_id VARBINARY(1) NOT NULL, popup_id INT UNSIGNED NOT NULL, stream_no INT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL, at_ms BIGINT NOT NULL, since_ms BIGINT NOT NULL, PRIMARY KEY (user_id, popup_id, stream_no, seq) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS impression ( user_id VARBINARY(1) NOT NULL, popup_id INT UNSIGNED NOT NULL, served_at_ms BIGINT NOT NULL, version INT UNSIGNED NOT NULL DEFAULT 1, variant VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 's', acted TINYINT UNSIGNED NOT NULL DEFAULT 1, acted_before TINYINT UNSIGNED NOT NULL DEFAULT 1, PRIMARY KEY (user_id, popup_id, served_at_ms) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS ingest_stream ( stream_no INT UNSIGNED NOT NULL AUTO_INCREMENT, stream_id CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, last_seq BIGINT UNSIGNED NOT NULL, removed BIGINT UNSIGNED NOT NULL, closed TINYINT UNSIGNED NOT NULL, host VARCHAR(1) NOT NULL, updated_ms BIGINT NOT NULL, PRIMARY KEY (stream_no), UNIQUE KEY ingest_stream_id (stream_id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS popup_revisions ( popup_id INT UNSIGNED NOT NULL, version INT UNSIGNED NOT NULL, spec MEDIUMTEXT NOT NULL, actor VARCHAR(1) NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (popup_id, version) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS popup_stats ( popup_id INT UNSIGNED NOT NULL, hour BIGINT NOT NULL, variant VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, impressions BIGINT UNSIGNED NOT NULL, users BIGINT UNSIGNED NOT NULL, clicks BIGINT UNSIGNED NOT NULL, dismisses BIGINT UNSIGNED NOT NULL, converts BIGINT UNSIGNED NOT NULL, controls BIGINT UNSIGNED NOT NULL, PRIMARY KEY (popup_id, hour, variant) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS popup_why_not ( popup_id INT UNSIGNED NOT NULL, hour BIGINT NOT NULL, reason VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, polls BIGINT UNSIGNED NOT NULL, sampled BIGINT UNSIGNED NOT NULL, PRIMARY KEY (popup_id, hour, reason), KEY by_hour (hour) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS popups ( id INT UNSIGNED NOT NULL AUTO_INCREMENT, `key` VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, status VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, priority BIGINT NOT NULL, start_at BIGINT NULL, end_at BIGINT NULL, max_impressions INT UNSIGNED NOT NULL, spec MEDIUMTEXT NOT NULL, version INT UNSIGNED NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE KEY popups_key (`key`) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS server ( id CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, name VARCHAR(1) NOT NULL, address VARCHAR(1) NOT NULL, version VARCHAR(1) NOT NULL, state VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, revision BIGINT NOT NULL, waiting_events BIGINT UNSIGNED NOT NULL, oldest_event_ms BIGINT NOT NULL, journal_bytes BIGINT NOT NULL, journal_max_bytes BIGINT NOT NULL, started_ms BIGINT NOT NULL, seen_ms BIGINT NOT NULL, PRIMARY KEY (id), KEY by_seen (seen_ms) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS settings ( id TINYINT UNSIGNED NOT NULL, version INT UNSIGNED NOT NULL, spec MEDIUMTEXT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS user_popup ( user_id VARBINARY(1) NOT NULL, popup_id INT UNSIGNED NOT NULL, impressions INT UNSIGNED NOT NULL, last_impression_ms BIGINT NOT NULL, acted TINYINT UNSIGNED NOT NULL, last_action TINYINT UNSIGNED NOT NULL, last_action_ms BIGINT NOT NULL, click_until_ms BIGINT NOT NULL, next_at_ms BIGINT NOT NULL, PRIMARY KEY (user_id, popup_id) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS webhook_outbox ( id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, subject VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, webhook_id VARCHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, body MEDIUMTEXT NOT NULL, created_ms BIGINT NOT NULL, due_ms BIGINT NOT NULL, attempts INT UNSIGNED NOT NULL, result VARCHAR(1) NOT NULL, settled_ms BIGINT NOT NULL, PRIMARY KEY (id), UNIQUE KEY by_subject (subject), KEY by_due (settled_ms, due_ms) ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE schema_lock ( lock_id BIGINT NOT NULL PRIMARY KEY, locked BOOLEAN NOT NULL DEFAULT 1, locked_at DATETIME(1) NULL, locked_by TEXT NULL, lease_expires_at DATETIME(1) NULL, updated_at DATETIME(1) NULL )
CREATE TABLE schema_version ( id bigint(1) unsigned NOT NULL AUTO_INCREMENT, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp datetime NULL default CURRENT_TIMESTAMP, PRIMARY KEY(id) )
CREATE TABLE schema_version (x INT, x INT)
DEALLOCATE PREPARE ddl;
DELETE FROM admin_token WHERE id = 's'
DELETE FROM admin_token WHERE name = 's' AND expires_ms <= 1
DELETE FROM audience_chunk WHERE list_no = 1 AND chunk_no < 1
DELETE FROM audience_list WHERE list_no = 1
DELETE FROM config_change WHERE revision <= (SELECT revision FROM config_revision WHERE id = 1) - 1
DELETE FROM console_session WHERE id IN (1)
DELETE FROM erasure WHERE done_ms > 1 AND done_ms <= (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1
DELETE FROM event WHERE stream_no = 1 AND seq > 1 AND seq <= 1 AND at_ms < 1
DELETE FROM experiment_user WHERE user_id = 's' AND exposed_ms <= 1
DELETE FROM experiment_user WHERE user_id = 's' AND popup_id = 1 AND exposed_ms = 1
DELETE FROM goal_pending WHERE user_id = 's' AND at_ms <= 1
DELETE FROM goal_pending WHERE user_id = 's' AND popup_id = 1
DELETE FROM goal_pending WHERE user_id = 's' AND popup_id = 1 AND at_ms = 1
DELETE FROM goal_pending WHERE user_id = 's' AND popup_id = 1 OR user_id = 's' AND popup_id = 1
DELETE FROM impression WHERE user_id = 's' AND popup_id = 1 AND served_at_ms = 1
DELETE FROM impression WHERE user_id = 's' AND popup_id = 1 AND served_at_ms = 1 OR user_id = 's' AND popup_id = 1 AND served_at_ms = 1
DELETE FROM impression WHERE user_id = 's' AND served_at_ms <= 1
DELETE FROM ingest_stream WHERE 1 = 1
DELETE FROM popup_why_not WHERE hour = 1 AND popup_id <= 1
DELETE FROM server WHERE id = 's'
DELETE FROM server WHERE seen_ms <= (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1
DELETE FROM user_popup WHERE user_id = 's' AND last_impression_ms <= 1
DELETE FROM user_popup WHERE user_id = 's' AND popup_id = 1 AND last_impression_ms = 1
DELETE FROM user_popup WHERE user_id = 's' AND popup_id = 1 AND last_impression_ms = 1 OR user_id = 's' AND popup_id = 1 AND last_impression_ms = 1
DELETE FROM webhook_outbox WHERE id IN (1)
EXECUTE ddl;
INSERT IGNORE INTO schema_lock (lock_id, locked, locked_at, locked_by, lease_expires_at, updated_at) VALUES (1, true, now(1), 's', now(1) + INTERVAL 1 SECOND, now(1))
INSERT INTO admin_token (id, name, role, hash, created_ms, created_by, expires_ms, last_used_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1)
INSERT INTO audience_chunk (list_no, chunk_no, bytes) VALUES (1, 1, 1)
INSERT INTO audience_key (id, secret) VALUES (1, 1)
INSERT INTO audience_list (list_no, removing, updated_ms) SELECT 1, 1, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1)
INSERT INTO audiences (`key`, version, deleted, rule, list_no, members, updated_at, actor) VALUES (1, 1, 1, 1, 1, 1, 1, 1)
INSERT INTO audit (at_ms, actor, action, object, from_version, to_version) VALUES (1, 1, 1, 1, 1, 1)
INSERT INTO config_change (revision, nonce, popup_id) SELECT revision, 1, 1 FROM config_revision WHERE id = 1 ON DUPLICATE KEY UPDATE nonce = VALUES(nonce), popup_id = VALUES(popup_id)
INSERT INTO config_change (revision, nonce, popup_id) VALUES (1, 1, 1) ON DUPLICATE KEY UPDATE nonce = VALUES(nonce), popup_id = VALUES(popup_id)
INSERT INTO config_revision (id, revision) VALUES (1, 1) ON DUPLICATE KEY UPDATE revision = revision;
INSERT INTO console_session (id, hash, name, role, bond, created_ms, seen_ms, ends_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1)
INSERT INTO dead_frame (stream_no, first_seq, last_seq, bytes, reason, at_ms) VALUES (1, 1, 1, 1, 1, 1)
INSERT INTO dead_frame (stream_no, first_seq, last_seq, bytes, reason, at_ms) VALUES (1, 1, 1, NULL, 's', (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1))
INSERT INTO erasure (user_id, at_ms, queued_ms, done_ms) VALUES (1, 1, 1, 1)
INSERT INTO event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
INSERT INTO event (stream_no, seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 's', 's', 1, -1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1), (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 1, 1, 1, 1), (1, 1, 's', 's', 1, -1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 1, 1, 1, 1), (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 1, 1, 1, 1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_count (popup_id, version, variant, outcome, days, users) VALUES (1, 1, 1, 1, 1, 1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1), (1, 1, 's', 's', 1, -1), (1, 1, 's', 's', 1, -1), (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE users = users + VALUES(users)
INSERT INTO experiment_decision (popup_id, goal, variant, at_ms, lift, lift_low, lift_high) SELECT p.id, 's', 's', (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1), 1, 1, 1 FROM popups p WHERE p.id = 1 AND NOT EXISTS (SELECT 1 FROM experiment_decision d WHERE d.popup_id = p.id AND d.goal = 's' AND d.variant = 's')
INSERT INTO experiment_progress (stream_no, seq) SELECT s.stream_no, s.last_seq FROM ingest_stream s WHERE NOT EXISTS (SELECT 1 FROM experiment_progress p WHERE p.stream_no = 1) UNION ALL SELECT 1, 1 FROM config_revision c WHERE c.id = 1 AND NOT EXISTS (SELECT 1 FROM experiment_progress p WHERE p.stream_no = 1);
INSERT INTO experiment_progress (stream_no, seq) VALUES (1, 1) ON DUPLICATE KEY UPDATE seq = VALUES(seq)
INSERT INTO experiment_user (user_id, popup_id, exposed_ms, version, variant, mixed_ms, click_ms, convert_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE exposed_ms = VALUES(exposed_ms), version = VALUES(version), variant = VALUES(variant), mixed_ms = VALUES(mixed_ms), click_ms = VALUES(click_ms), convert_ms = VALUES(convert_ms)
INSERT INTO goal_pending (user_id, popup_id, stream_no, seq, at_ms, since_ms) VALUES (1, 1, 1, 1, 1, 1)
INSERT INTO impression (user_id, popup_id, served_at_ms) SELECT user_id, popup_id, served_at_ms FROM impression WHERE FALSE RETURNING acted_before
INSERT INTO impression (user_id, popup_id, served_at_ms, acted) VALUES (1, 1, 1, 1) ON DUPLICATE KEY UPDATE acted = acted | VALUES(acted)
INSERT INTO impression (user_id, popup_id, served_at_ms, version, variant, acted) VALUES (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE acted_before = acted, acted = acted | VALUES(acted)
INSERT INTO impression (user_id, popup_id, served_at_ms, version, variant, acted) VALUES (1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE acted_before = acted, acted = acted | VALUES(acted) RETURNING acted_before
INSERT INTO impression (user_id, popup_id, served_at_ms, version, variant, acted) VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE acted_before = acted, acted = acted | VALUES(acted)
INSERT INTO impression (user_id, popup_id, served_at_ms, version, variant, acted) VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE acted_before = acted, acted = acted | VALUES(acted) RETURNING acted_before
INSERT INTO ingest_stream (stream_id, last_seq, removed, closed, host, updated_ms) SELECT stream_id, last_seq, removed, closed, host, updated_ms FROM ingest_stream WHERE 1 = 1
INSERT INTO ingest_stream (stream_id, last_seq, removed, closed, host, updated_ms) VALUES ('s', 1, 1, 1, 's', (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1))
INSERT INTO popup_revisions (popup_id, version, spec, actor, created_at) VALUES (1, 1, 1, 1, 1)
INSERT INTO popup_revisions (popup_id, version, spec, actor, created_at, source) VALUES (1, 1, 1, 1, 1, 1)
INSERT INTO popup_stats (popup_id, hour, variant, impressions, controls, clicks, dismisses, converts, views, releases, users, click_users, convert_users, control_users) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE impressions = impressions + VALUES(impressions), controls = controls + VALUES(controls), clicks = clicks + VALUES(clicks), dismisses = dismisses + VALUES(dismisses), converts = converts + VALUES(converts), views = views + VALUES(views), releases = releases + VALUES(releases), users = users + VALUES(users), click_users = click_users + VALUES(click_users), convert_users = convert_users + VALUES(convert_users), control_users = control_users + VALUES(control_users)
INSERT INTO popup_why_not (popup_id, hour, reason, polls, sampled) VALUES (1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE polls = polls + VALUES(polls), sampled = sampled + VALUES(sampled)
INSERT INTO popups (`key`, status, priority, start_at, end_at, max_impressions, goal_window_sec, spec, version, updated_at) VALUES ('s', 's', -1, 1, 1, 1, 1, 's', 1, 1)
INSERT INTO popups (`key`, status, priority, start_at, end_at, max_impressions, goal_window_sec, spec, version, updated_at) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
INSERT INTO popups (`key`, status, priority, start_at, end_at, max_impressions, goal_window_sec, spec, version, updated_at, source) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
INSERT INTO popups (id, `key`, status, priority, start_at, end_at, max_impressions, goal_window_sec, spec, version, updated_at, source) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE status = VALUES(status), priority = VALUES(priority), start_at = VALUES(start_at), end_at = VALUES(end_at), max_impressions = VALUES(max_impressions), goal_window_sec = VALUES(goal_window_sec), spec = VALUES(spec), version = VALUES(version), updated_at = VALUES(updated_at), source = VALUES(source)
INSERT INTO schema_version (version_id, is_applied) VALUES (1, 1)
INSERT INTO server (id, name, address, version, state, revision, waiting_events, oldest_event_ms, journal_bytes, journal_max_bytes, started_ms, seen_ms) VALUES ('s', 's', 's', 's', 's', 1, 1, 1, 1, 1, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1)) ON DUPLICATE KEY UPDATE name = VALUES(name), address = VALUES(address), version = VALUES(version), state = VALUES(state), revision = VALUES(revision), waiting_events = VALUES(waiting_events), oldest_event_ms = VALUES(oldest_event_ms), journal_bytes = VALUES(journal_bytes), journal_max_bytes = VALUES(journal_max_bytes), started_ms = VALUES(started_ms), seen_ms = VALUES(seen_ms)
INSERT INTO settings (id, version, spec, updated_at) VALUES (1, 1, 1, 1)
INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE ever = ever | VALUES(ever)
INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE ever_before = ever | CASE WHEN ever = 1 AND impressions > 1 AND last_impression_ms <> VALUES(last_impression_ms) THEN 1 ELSE 1 END | 1 - (ever_before & 1), ever = ever | VALUES(ever) | CASE WHEN ever = 1 AND impressions > 1 THEN 1 ELSE 1 END, impressions = GREATEST(impressions, VALUES(impressions)), last_shown_ms = GREATEST(last_shown_ms, VALUES(last_shown_ms)), click_until_ms = GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), next_at_ms = GREATEST(GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(next_at_ms) WHEN VALUES(last_impression_ms) < last_impression_ms THEN next_at_ms WHEN (acted | VALUES(acted)) & 1 <> 1 THEN 1 ELSE GREATEST(next_at_ms, VALUES(next_at_ms)) END), acted = CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(acted) WHEN VALUES(last_impression_ms) < last_impression_ms THEN acted ELSE acted | VALUES(acted) END, last_impression_ms = GREATEST(last_impression_ms, VALUES(last_impression_ms)), last_action = CASE WHEN VALUES(last_action_ms) > last_action_ms THEN VALUES(last_action) WHEN VALUES(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, VALUES(last_action)) END, last_action_ms = GREATEST(last_action_ms, VALUES(last_action_ms))
INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) ON DUPLICATE KEY UPDATE ever_before = ever | CASE WHEN ever = 1 AND impressions > 1 AND last_impression_ms <> VALUES(last_impression_ms) THEN 1 ELSE 1 END | 1 - (ever_before & 1), ever = ever | VALUES(ever) | CASE WHEN ever = 1 AND impressions > 1 THEN 1 ELSE 1 END, impressions = GREATEST(impressions, VALUES(impressions)), last_shown_ms = GREATEST(last_shown_ms, VALUES(last_shown_ms)), click_until_ms = GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), next_at_ms = GREATEST(GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(next_at_ms) WHEN VALUES(last_impression_ms) < last_impression_ms THEN next_at_ms WHEN (acted | VALUES(acted)) & 1 <> 1 THEN 1 ELSE GREATEST(next_at_ms, VALUES(next_at_ms)) END), acted = CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(acted) WHEN VALUES(last_impression_ms) < last_impression_ms THEN acted ELSE acted | VALUES(acted) END, last_impression_ms = GREATEST(last_impression_ms, VALUES(last_impression_ms)), last_action = CASE WHEN VALUES(last_action_ms) > last_action_ms THEN VALUES(last_action) WHEN VALUES(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, VALUES(last_action)) END, last_action_ms = GREATEST(last_action_ms, VALUES(last_action_ms)) RETURNING ever_before
INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE ever_before = ever | CASE WHEN ever = 1 AND impressions > 1 AND last_impression_ms <> VALUES(last_impression_ms) THEN 1 ELSE 1 END | 1 - (ever_before & 1), ever = ever | VALUES(ever) | CASE WHEN ever = 1 AND impressions > 1 THEN 1 ELSE 1 END, impressions = GREATEST(impressions, VALUES(impressions)), last_shown_ms = GREATEST(last_shown_ms, VALUES(last_shown_ms)), click_until_ms = GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), next_at_ms = GREATEST(GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(next_at_ms) WHEN VALUES(last_impression_ms) < last_impression_ms THEN next_at_ms WHEN (acted | VALUES(acted)) & 1 <> 1 THEN 1 ELSE GREATEST(next_at_ms, VALUES(next_at_ms)) END), acted = CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(acted) WHEN VALUES(last_impression_ms) < last_impression_ms THEN acted ELSE acted | VALUES(acted) END, last_impression_ms = GREATEST(last_impression_ms, VALUES(last_impression_ms)), last_action = CASE WHEN VALUES(last_action_ms) > last_action_ms THEN VALUES(last_action) WHEN VALUES(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, VALUES(last_action)) END, last_action_ms = GREATEST(last_action_ms, VALUES(last_action_ms))
INSERT INTO user_popup (user_id, popup_id, ever, impressions, last_impression_ms, last_shown_ms, acted, last_action, last_action_ms, click_until_ms, next_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE ever_before = ever | CASE WHEN ever = 1 AND impressions > 1 AND last_impression_ms <> VALUES(last_impression_ms) THEN 1 ELSE 1 END | 1 - (ever_before & 1), ever = ever | VALUES(ever) | CASE WHEN ever = 1 AND impressions > 1 THEN 1 ELSE 1 END, impressions = GREATEST(impressions, VALUES(impressions)), last_shown_ms = GREATEST(last_shown_ms, VALUES(last_shown_ms)), click_until_ms = GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), next_at_ms = GREATEST(GREATEST(click_until_ms, VALUES(click_until_ms), CASE WHEN acted & 1 <> 1 THEN next_at_ms ELSE 1 END), CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(next_at_ms) WHEN VALUES(last_impression_ms) < last_impression_ms THEN next_at_ms WHEN (acted | VALUES(acted)) & 1 <> 1 THEN 1 ELSE GREATEST(next_at_ms, VALUES(next_at_ms)) END), acted = CASE WHEN VALUES(last_impression_ms) > last_impression_ms THEN VALUES(acted) WHEN VALUES(last_impression_ms) < last_impression_ms THEN acted ELSE acted | VALUES(acted) END, last_impression_ms = GREATEST(last_impression_ms, VALUES(last_impression_ms)), last_action = CASE WHEN VALUES(last_action_ms) > last_action_ms THEN VALUES(last_action) WHEN VALUES(last_action_ms) < last_action_ms THEN last_action ELSE GREATEST(last_action, VALUES(last_action)) END, last_action_ms = GREATEST(last_action_ms, VALUES(last_action_ms)) RETURNING ever_before
INSERT INTO webhook_outbox (subject, webhook_id, body, created_ms, due_ms, attempts, result, settled_ms) VALUES ('s', 's', 's', (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1), (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1), 1, 's', 1) ON DUPLICATE KEY UPDATE attempts = attempts
INSERT INTO webhook_outbox (subject, webhook_id, body, created_ms, due_ms, attempts, result, settled_ms) VALUES (1, 1, 1, 1, 1, 1, 1, 1)
KILL CONNECTION 1
PREPARE ddl FROM @ddl;
RELEASE SAVEPOINT half
ROLLBACK
ROLLBACK TO SAVEPOINT half
SAVEPOINT half
SELECT (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1)
SELECT (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1), (SELECT COALESCE(MAX(TABLE_ROWS), 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 's')
SELECT 1 FROM schema_version LIMIT 1
SELECT 1, user_id, popup_id, acted, last_impression_ms, impressions, last_action, last_shown_ms, last_action_ms, click_until_ms, next_at_ms FROM user_popup WHERE user_id IN (1)
SELECT 1, user_id, popup_id, acted, last_impression_ms, impressions, last_action, last_shown_ms, last_action_ms, click_until_ms, next_at_ms FROM user_popup WHERE user_id IN (1) UNION ALL SELECT 1, user_id, popup_id, acted, served_at_ms, 1, 1, 1, 1, 1, 1 FROM impression WHERE user_id IN (1) AND served_at_ms > 1
SELECT @@innodb_lock_wait_timeout
SELECT @@tx_isolation
SELECT @@wait_timeout
SELECT @@wsrep_sync_wait
SELECT COALESCE(MAX(seq), 1), COALESCE(SUM(at_ms < 1), 1) FROM (SELECT seq, at_ms FROM event WHERE stream_no = 1 AND seq > 1 AND seq <= (SELECT p.seq FROM experiment_progress p WHERE p.stream_no = 1) ORDER BY seq LIMIT 1) batch
SELECT COALESCE(MAX(version_id), 1) FROM schema_version
SELECT COALESCE(SUM(last_seq - CASE WHEN first_seq > 1 THEN first_seq - 1 ELSE 1 END), 1) FROM dead_frame WHERE stream_no = 1 AND last_seq > 1
SELECT COALESCE(SUM(last_seq), 1) FROM (SELECT last_seq FROM ingest_stream ORDER BY stream_no DESC LIMIT 1) newest
SELECT CONCAT(@@hostname, 's', @@port)
SELECT CONCAT(@@hostname, 's', @@port), CONNECTION_ID(), @@max_allowed_packet
SELECT COUNT(*) FROM admin_token
SELECT COUNT(*) FROM erasure WHERE done_ms = 1
SELECT COUNT(*) FROM event
SELECT COUNT(*) FROM event WHERE stream_no = 1 AND seq > 1 AND seq <= 1
SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = 1 AND DB = DATABASE() AND USER = SUBSTRING_INDEX(USER(), 's', 1)
SELECT COUNT(*) FROM webhook_outbox WHERE settled_ms = 1
SELECT COUNT(*), COALESCE(SUM(id), 1), COALESCE(SUM(done_ms = 1), 1) FROM erasure
SELECT COUNT(*), COUNT(DISTINCT version_id) FROM schema_version
SELECT CURRENT_USER()
SELECT DATABASE()
SELECT DISTINCT popup_id FROM experiment_count
SELECT EXISTS ( SELECT 1 FROM information_schema.tables WHERE (database() IS NULL OR table_schema = database()) AND table_name = 's' )
SELECT EXISTS ( SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 's' )
SELECT EXISTS(SELECT 1 FROM goal_pending)
SELECT MAX(version_id) FROM schema_version
SELECT MIN(chunk_no) FROM audience_chunk WHERE list_no = 1
SELECT MIN(hour) FROM popup_why_not
SELECT MIN(seq) FROM event WHERE stream_no = 1 AND seq > 1
SELECT `key`, source FROM popups WHERE status <> 's' AND source <> 's'
SELECT `key`, status, spec FROM popups WHERE status <> 's' AND spec LIKE 's' ORDER BY `key`
SELECT at_ms FROM audit WHERE id > 1 AND action = 's' AND object = 's' ORDER BY id LIMIT 1
SELECT at_ms, object LIKE 's' FROM audit WHERE id = 1 AND action = 's'
SELECT bytes FROM audience_chunk WHERE list_no = 1 AND chunk_no = 1
SELECT d.popup_id, p.`key`, d.goal, d.variant, d.at_ms, d.lift, d.lift_low, d.lift_high FROM experiment_decision d JOIN popups p ON p.id = d.popup_id WHERE d.at_ms >= 1 ORDER BY d.at_ms, d.popup_id, d.goal, d.variant
SELECT e.seq, e.at_ms, e.user_id, e.popup_id, e.version, e.variant, e.action, e.served_at_ms, e.nth, i.acted, COALESCE(u.exposed_ms, 1), COALESCE(u.version, 1), COALESCE(u.variant, 's'), COALESCE(u.mixed_ms, 1), COALESCE(u.click_ms, 1), COALESCE(u.convert_ms, 1) FROM event e LEFT JOIN experiment_user u ON u.user_id = e.user_id AND u.popup_id = e.popup_id LEFT JOIN impression i ON e.action <> 1 AND i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms WHERE e.stream_no = 1 AND e.seq >= 1 AND e.seq <= 1 AND e.user_id <> 's' AND e.popup_id IN (1) AND (u.user_id IS NULL OR u.exposed_ms = 1 OR e.action = 1 OR e.action <> 1 AND (e.served_at_ms < u.exposed_ms OR e.variant <> u.variant) OR e.action = 1 AND (u.click_ms = 1 OR e.at_ms < u.click_ms) OR e.action IN (1) AND (u.convert_ms < u.exposed_ms OR e.at_ms < u.convert_ms) OR e.user_id IN (1)) ORDER BY e.seq
SELECT e.seq, e.at_ms, e.user_id, e.popup_id, e.version, e.variant, e.action, e.served_at_ms, e.nth, i.acted, COALESCE(u.exposed_ms, 1), COALESCE(u.version, 1), COALESCE(u.variant, 's'), COALESCE(u.mixed_ms, 1), COALESCE(u.click_ms, 1), COALESCE(u.convert_ms, 1) FROM event e LEFT JOIN experiment_user u ON u.user_id = e.user_id AND u.popup_id = e.popup_id LEFT JOIN impression i ON e.action <> 1 AND i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms WHERE e.stream_no = 1 AND e.seq >= 1 AND e.seq <= 1 AND e.user_id <> 's' AND e.popup_id IN (1) AND (u.user_id IS NULL OR u.exposed_ms = 1 OR e.action = 1 OR e.action <> 1 AND (e.served_at_ms < u.exposed_ms OR e.variant <> u.variant) OR e.action = 1 AND (u.click_ms = 1 OR e.at_ms < u.click_ms) OR e.action IN (1) AND (u.convert_ms < u.exposed_ms OR e.at_ms < u.convert_ms)) ORDER BY e.seq
SELECT e.seq, i.user_id IS NOT NULL, u.user_id IS NOT NULL FROM event e LEFT JOIN impression i ON e.action NOT IN (1) AND i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms AND (i.acted_before & CASE e.action WHEN 1 THEN 1 WHEN 1 THEN 1 WHEN 1 THEN 1 WHEN 1 THEN 1 WHEN 1 THEN 1 END) <> 1 LEFT JOIN user_popup u ON (e.action IN (1) OR e.nth <= 1 AND e.action IN (1)) AND u.user_id = e.user_id AND u.popup_id = e.popup_id AND (u.ever_before & CASE e.action WHEN 1 THEN 1 WHEN 1 THEN 1 WHEN 1 THEN 1 WHEN 1 THEN 1 END) <> 1 WHERE e.stream_no = 1 AND e.seq >= 1 AND e.seq <= 1 AND (i.user_id IS NOT NULL OR u.user_id IS NOT NULL)
SELECT i.user_id, i.popup_id, i.served_at_ms, i.acted FROM event e STRAIGHT_JOIN impression i FORCE INDEX (PRIMARY) ON i.user_id = e.user_id AND i.popup_id = e.popup_id AND i.served_at_ms = e.served_at_ms WHERE i.served_at_ms > 1 AND e.stream_no = 1 AND e.seq > 1 AND e.seq <= 1
SELECT i.user_id, i.popup_id, i.served_at_ms, i.acted FROM impression i WHERE i.served_at_ms > 1
SELECT id FROM audit asked WHERE action = 's' AND object = 's' AND LENGTH(object) = LENGTH(1) AND at_ms <= 1 AND NOT EXISTS (SELECT 1 FROM audit done WHERE done.id > asked.id AND done.action = 's' AND done.object = CONCAT('s', asked.id)) ORDER BY id
SELECT id FROM console_session WHERE created_ms < 1 ORDER BY created_ms LIMIT 1
SELECT id FROM console_session WHERE name = 's' ORDER BY CASE WHEN ends_ms > 1 THEN seen_ms ELSE 1 END DESC, id LIMIT 1 OFFSET 1
SELECT id FROM popups WHERE status = 's' AND updated_at < 1 ORDER BY id
SELECT id FROM webhook_outbox WHERE settled_ms = 1 AND id <= 1 LIMIT 1
SELECT id FROM webhook_outbox WHERE settled_ms = 1 ORDER BY id DESC LIMIT 1 OFFSET 1
SELECT id FROM webhook_outbox WHERE settled_ms > 1 AND settled_ms < (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1 LIMIT 1
SELECT id, `key` FROM popups
SELECT id, `key` FROM popups WHERE `key` IN (1)
SELECT id, at_ms, actor, action, object, from_version, to_version FROM audit WHERE id < 1 ORDER BY id DESC LIMIT 1
SELECT id, at_ms, actor, action, object, from_version, to_version FROM audit WHERE object = 's' AND id < 1 ORDER BY id DESC LIMIT 1
SELECT id, goal_window_sec FROM popups WHERE goal_window_sec > 1
SELECT id, hash, name, role, bond, created_ms, seen_ms, ends_ms FROM console_session WHERE id IN (1) ORDER BY id
SELECT id, name, address, version, state, revision, waiting_events, oldest_event_ms, journal_bytes, journal_max_bytes, seen_ms - started_ms, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - seen_ms FROM server WHERE seen_ms > (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1 ORDER BY seen_ms DESC LIMIT 1
SELECT id, name, role, hash, created_ms, created_by, expires_ms, last_used_ms FROM admin_token ORDER BY name
SELECT id, role FROM admin_token WHERE name = 's'
SELECT id, status, max_impressions FROM popups WHERE status = 's' OR max_impressions > 1
SELECT id, subject, webhook_id, body, attempts, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - created_ms FROM webhook_outbox WHERE settled_ms = 1 AND due_ms <= (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) ORDER BY due_ms, id LIMIT 1
SELECT id, user_id, at_ms FROM erasure WHERE done_ms = 1 AND queued_ms <= (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1 ORDER BY id LIMIT 1
SELECT id, version FROM audiences WHERE `key` = 's'
SELECT id, version, `key`, rule, list_no, members, updated_at, actor FROM audiences WHERE deleted = 1 ORDER BY `key`
SELECT id, version, status, source, spec FROM popups WHERE `key` = 's'
SELECT id, version, updated_at FROM popups ORDER BY id
SELECT id, version, updated_at, `key`, spec, status = 's' FROM popups WHERE status <> 's' OR id = (SELECT MAX(id) FROM popups) ORDER BY id
SELECT id, version, updated_at, `key`, spec, status = 's', source FROM popups WHERE `key` IN (1)
SELECT id, version, updated_at, `key`, status, spec FROM popups WHERE id IN (1)
SELECT id, version, updated_at, source, `key`, status, spec FROM popups WHERE `key` = 's'
SELECT id, version, updated_at, source, `key`, status, spec FROM popups WHERE id IN (1)
SELECT id, version, updated_at, source, `key`, status, spec FROM popups WHERE id IN (1) AND status = 's' AND updated_at <= 1 AND NOT EXISTS (SELECT 1 FROM popup_stats s WHERE s.popup_id = popups.id AND s.hour >= 1 AND (s.impressions > 1 OR s.controls > 1)) ORDER BY id
SELECT id, version, updated_at, source, `key`, status, spec FROM popups WHERE status <> 's' ORDER BY `key`
SELECT id, version, updated_at, source, `key`, status, spec FROM popups WHERE status = 's' AND end_at > 1 AND end_at <= 1 ORDER BY end_at, id
SELECT last_seq FROM ingest_stream WHERE stream_id = 's'
SELECT lease_expires_at FROM schema_lock WHERE lock_id = 1
SELECT list_no FROM audience_list WHERE updated_ms < (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1 AND NOT EXISTS (SELECT 1 FROM audiences a WHERE a.list_no = audience_list.list_no)
SELECT lock_id FROM schema_lock WHERE locked = true AND lease_expires_at < now(1) FOR UPDATE
SELECT locked_by, lease_expires_at FROM schema_lock WHERE lock_id = 1
SELECT popup_id FROM popup_why_not WHERE hour = 1 ORDER BY popup_id LIMIT 1 OFFSET 1
SELECT popup_id, MAX(version) FROM event WHERE stream_no = 1 AND seq >= 1 AND seq <= 1 GROUP BY popup_id
SELECT popup_id, SUM(CASE WHEN reason = 's' THEN polls ELSE 1 END), SUM(CASE WHEN reason = 's' THEN sampled ELSE 1 END) FROM popup_why_not WHERE hour >= 1 AND reason IN (1) GROUP BY popup_id HAVING SUM(CASE WHEN reason = 's' THEN sampled ELSE 1 END) >= 1 AND SUM(CASE WHEN reason = 's' THEN 1 ELSE sampled END) = 1 ORDER BY popup_id
SELECT popup_id, acted FROM impression WHERE user_id = 's' AND served_at_ms > 1
SELECT popup_id, ever, impressions, last_shown_ms, acted, click_until_ms, next_at_ms FROM user_popup WHERE user_id = 's' AND last_impression_ms > 1
SELECT popup_id, exposed_ms, version, variant, mixed_ms, click_ms, convert_ms FROM experiment_user WHERE user_id = 's' AND exposed_ms <= 1
SELECT popup_id, hour - (hour - 1) % 1 AS step, SUM(impressions), SUM(controls), SUM(clicks), SUM(dismisses), SUM(converts), SUM(views), SUM(releases), SUM(users), SUM(click_users), SUM(convert_users), SUM(control_users) FROM popup_stats WHERE popup_id IN (1) AND hour >= 1 AND hour < 1 GROUP BY popup_id, step ORDER BY popup_id, step
SELECT popup_id, served_at_ms, version, variant, acted FROM (SELECT popup_id, served_at_ms, version, variant, acted FROM impression WHERE user_id = 's' AND popup_id = 1 ORDER BY served_at_ms DESC LIMIT 1) p1 ORDER BY served_at_ms DESC, popup_id LIMIT 1
SELECT popup_id, served_at_ms, version, variant, acted FROM (SELECT popup_id, served_at_ms, version, variant, acted FROM impression WHERE user_id = 's' AND popup_id = 1 ORDER BY served_at_ms DESC LIMIT 1) p1 UNION ALL SELECT popup_id, served_at_ms, version, variant, acted FROM (SELECT popup_id, served_at_ms, version, variant, acted FROM impression WHERE user_id = 's' AND popup_id = 1 ORDER BY served_at_ms DESC LIMIT 1) p1 ORDER BY served_at_ms DESC, popup_id LIMIT 1
SELECT r.revision, COALESCE(c.nonce, 1) FROM config_revision r LEFT JOIN config_change c ON c.revision = r.revision WHERE r.id = 1
SELECT r.revision, c.revision, c.nonce, c.popup_id, COALESCE(p.id, 1), COALESCE(p.version, s.version, 1), COALESCE(p.updated_at, s.updated_at, 1), COALESCE(p.`key`, 's'), COALESCE(p.spec, s.spec, 's'), COALESCE(p.status, 's') = 's' FROM config_revision r JOIN config_change c ON c.revision >= 1 AND c.revision <= 1 LEFT JOIN popups p ON p.id = c.popup_id AND c.revision > 1 LEFT JOIN settings s ON s.id = 1 AND c.popup_id = 1 AND c.revision > 1 WHERE r.id = 1 ORDER BY c.revision
SELECT r.version, r.actor, r.created_at, r.source, r.spec FROM popup_revisions r JOIN popups p ON p.id = r.popup_id WHERE p.`key` = 's' ORDER BY r.version DESC
SELECT r.version, r.actor, r.created_at, r.source, r.spec FROM popup_revisions r JOIN popups p ON p.id = r.popup_id WHERE p.id = 1 ORDER BY r.version DESC
SELECT reason, SUM(polls), SUM(sampled) FROM popup_why_not WHERE popup_id = 1 AND hour >= 1 AND hour < 1 GROUP BY reason ORDER BY reason
SELECT removed FROM ingest_stream WHERE stream_no = 1
SELECT s.stream_no, s.last_seq, s.last_seq - COALESCE(p.seq, 1) FROM ingest_stream s LEFT JOIN experiment_progress p ON p.stream_no = s.stream_no WHERE s.last_seq > COALESCE(p.seq, 1) ORDER BY s.stream_no
SELECT secret FROM audience_key WHERE id = 1
SELECT seq, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) FROM experiment_progress WHERE stream_no = 1
SELECT seq, at_ms, user_id, popup_id, version, variant, action, served_at_ms, nth, repeated FROM event WHERE stream_no = 1 AND seq > 1 AND seq <= 1 ORDER BY seq LIMIT 1
SELECT served_at_ms, version, variant, acted FROM impression WHERE user_id = 's' AND popup_id = 1 AND served_at_ms >= 1 ORDER BY served_at_ms
SELECT stream_id FROM ingest_stream WHERE closed = 1 AND updated_ms <= (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1 AND updated_ms > (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) - 1 ORDER BY stream_no
SELECT stream_id, last_seq FROM ingest_stream WHERE stream_id IN (1)
SELECT stream_no, (SELECT COUNT(*) FROM erasure), (SELECT COALESCE(SUM(id), 1) FROM erasure), (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) FROM ingest_stream WHERE stream_id = 's'
SELECT stream_no, MIN(seq) FROM goal_pending GROUP BY stream_no
SELECT stream_no, first_seq, bytes FROM dead_frame WHERE bytes IS NOT NULL
SELECT stream_no, last_seq FROM ingest_stream WHERE last_seq > removed ORDER BY stream_no
SELECT stream_no, last_seq FROM ingest_stream WHERE stream_id = 's'
SELECT stream_no, last_seq, updated_ms FROM ingest_stream ORDER BY stream_no
SELECT stream_no, stream_id, last_seq, closed = 1, updated_ms FROM ingest_stream
SELECT u.user_id, u.popup_id, u.ever, u.last_impression_ms, COALESCE(i.served_at_ms, 1), COALESCE(i.variant, 's'), i.user_id IS NOT NULL FROM (SELECT user_id, popup_id, ever, last_impression_ms FROM user_popup WHERE user_id = 's' AND popup_id = 1 OR user_id = 's' AND popup_id = 1 OR user_id = 's' AND popup_id = 1) u LEFT JOIN impression i ON i.user_id = u.user_id AND i.popup_id = u.popup_id AND i.served_at_ms >= 1 AND i.served_at_ms <= 1 ORDER BY i.served_at_ms
SELECT u.user_id, u.popup_id, u.ever, u.last_impression_ms, COALESCE(i.served_at_ms, 1), COALESCE(i.variant, 's'), i.user_id IS NOT NULL FROM (SELECT user_id, popup_id, ever, last_impression_ms FROM user_popup WHERE user_id = 's' AND popup_id = 1 OR user_id = 's' AND popup_id = 1) u LEFT JOIN impression i ON i.user_id = u.user_id AND i.popup_id = u.popup_id AND i.served_at_ms >= 1 AND i.served_at_ms <= 1 ORDER BY i.served_at_ms
SELECT u.user_id, u.popup_id, u.ever, u.last_impression_ms, COALESCE(i.served_at_ms, 1), COALESCE(i.variant, 's'), i.user_id IS NOT NULL FROM (SELECT user_id, popup_id, ever, last_impression_ms FROM user_popup WHERE user_id = 's' AND popup_id = 1) u LEFT JOIN impression i ON i.user_id = u.user_id AND i.popup_id = u.popup_id AND i.served_at_ms >= 1 AND i.served_at_ms <= 1 ORDER BY i.served_at_ms
SELECT u.user_id, u.popup_id, u.impressions, u.acted, u.last_action, u.last_impression_ms, u.last_shown_ms, u.last_action_ms, u.click_until_ms, u.next_at_ms FROM event e STRAIGHT_JOIN user_popup u FORCE INDEX (PRIMARY) ON u.user_id = e.user_id AND u.popup_id = e.popup_id WHERE (u.next_at_ms > ? OR u.last_impression_ms > ?) AND e.stream_no = ? AND e.seq > ? AND e.seq <= ?
SELECT u.user_id, u.popup_id, u.impressions, u.acted, u.last_action, u.last_impression_ms, u.last_shown_ms, u.last_action_ms, u.click_until_ms, u.next_at_ms FROM user_popup u WHERE (u.next_at_ms > 1 OR u.last_impression_ms > 1)
SELECT u.user_id, u.popup_id, u.impressions, u.acted, u.last_action, u.last_impression_ms, u.last_shown_ms, u.last_action_ms, u.click_until_ms, u.next_at_ms FROM user_popup u WHERE (u.next_at_ms > ? OR u.last_impression_ms > ? OR u.popup_id IN (1) OR u.popup_id = 1 AND u.last_impression_ms > 1) AND (u.popup_id NOT IN (1) OR u.last_shown_ms > 1)
SELECT u.user_id, u.popup_id, u.impressions, u.acted, u.last_action, u.last_impression_ms, u.last_shown_ms, u.last_action_ms, u.click_until_ms, u.next_at_ms FROM user_popup u WHERE (u.next_at_ms > ? OR u.last_impression_ms > ?)
SELECT u.user_id, u.popup_id, u.impressions, u.acted, u.last_action, u.last_impression_ms, u.last_shown_ms, u.last_action_ms, u.click_until_ms, u.next_at_ms FROM user_popup u WHERE (u.next_at_ms > ? OR u.last_impression_ms > ?) AND (u.popup_id NOT IN (1) OR u.last_shown_ms > 1)
SELECT user_id, at_ms FROM erasure
SELECT user_id, at_ms, done_ms FROM erasure
SELECT user_id, popup_id, at_ms FROM goal_pending WHERE at_ms < 1 LIMIT 1
SELECT user_id, popup_id, exposed_ms FROM experiment_user WHERE user_id >= 's' AND (user_id > 's' OR popup_id > 1 OR popup_id = 1 AND exposed_ms > 1) ORDER BY user_id, popup_id LIMIT 1
SELECT user_id, popup_id, last_impression_ms FROM user_popup WHERE user_id >= 's' AND (user_id > 's' OR popup_id > 1 OR popup_id = 1 AND last_impression_ms > 1) ORDER BY user_id, popup_id LIMIT 1
SELECT user_id, popup_id, served_at_ms FROM impression WHERE user_id >= 's' AND (user_id > 's' OR popup_id > 1 OR popup_id = 1 AND served_at_ms > 1) ORDER BY user_id, popup_id, served_at_ms LIMIT 1
SELECT user_id, popup_id, stream_no, seq, at_ms, since_ms FROM goal_pending WHERE user_id = 's' AND popup_id = 1
SELECT user_id, popup_id, stream_no, seq, at_ms, since_ms FROM goal_pending WHERE user_id = 's' AND popup_id = 1 OR user_id = 's' AND popup_id = 1
SELECT variant, SUM(impressions), SUM(controls), SUM(clicks), SUM(dismisses), SUM(converts) FROM popup_stats WHERE popup_id = 1 AND hour >= 1 GROUP BY variant ORDER BY variant
SELECT variant, hour, impressions, controls, clicks, dismisses, converts, views, releases, users, click_users, convert_users, control_users FROM popup_stats WHERE popup_id = 1 AND hour >= 1 AND hour < 1 ORDER BY hour, variant
SELECT version, spec FROM popup_revisions WHERE popup_id = 1 AND version > 1
SELECT version, updated_at, spec FROM settings WHERE id = 1
SELECT version, variant, outcome, SUM(users) FROM experiment_count WHERE popup_id = 1 AND days < 1 GROUP BY version, variant, outcome HAVING SUM(users) <> 1 ORDER BY version, variant, outcome
SELECT version_id, is_applied from schema_version ORDER BY id DESC
SELECT z.seq, COALESCE(p.seq, 1) FROM experiment_progress z LEFT JOIN experiment_progress p ON p.stream_no = 1 WHERE z.stream_no = 1
SET @ddl = (SELECT IF(COUNT(*) > 1, 's', 's') FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 's' AND COLUMN_NAME = 's');
SET @ddl = (SELECT IF(COUNT(*) > 1, 's', 's') FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 's' AND INDEX_NAME = 's');
SET NAMES utf8mb4
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET SESSION wsrep_sync_wait = 1
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
SET autocommit = 1, innodb_lock_wait_timeout = 1, sql_mode = 's'
SET autocommit = 1, innodb_lock_wait_timeout = 1, sql_mode = 's', wait_timeout = 1
SET time_zone = 's'
SHOW GLOBAL STATUS LIKE 's'
SHOW GLOBAL VARIABLES
SHOW SESSION VARIABLES
START TRANSACTION
UPDATE admin_token SET last_used_ms = 1 WHERE id = 's' AND last_used_ms < 1
UPDATE audience_list SET removing = 1 WHERE list_no = 1 AND NOT EXISTS (SELECT 1 FROM audiences a WHERE a.list_no = audience_list.list_no)
UPDATE audience_list SET updated_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) WHERE list_no = 1
UPDATE audience_list SET updated_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) WHERE list_no = 1 AND removing = 1
UPDATE audiences SET deleted = 1, rule = NULL, list_no = 1, members = 1, version = 1, updated_at = 1, actor = 's' WHERE id = 1
UPDATE audiences SET list_no = 1 WHERE list_no <> 1
UPDATE audiences SET version = 1, deleted = 1, rule = 's', list_no = 1, members = 1, updated_at = 1, actor = 's' WHERE id = 1
UPDATE audiences SET version = 1, deleted = 1, rule = NULL, list_no = 1, members = 1, updated_at = 1, actor = 's' WHERE id = 1
UPDATE audit SET object = 's' WHERE object = 's' AND LENGTH(object) = LENGTH(1) AND at_ms <= 1
UPDATE config_revision SET revision = revision + 1 WHERE id = 1
UPDATE console_session SET ends_ms = 1 WHERE id = 's' AND ends_ms > 1
UPDATE console_session SET ends_ms = 1 WHERE name = 's' AND ends_ms > 1
UPDATE console_session SET seen_ms = 1 WHERE id = 's' AND seen_ms < 1
UPDATE dead_frame SET bytes = NULL WHERE at_ms < 1 AND bytes IS NOT NULL
UPDATE dead_frame SET bytes = NULL WHERE stream_no = 1 AND first_seq = 1
UPDATE erasure SET done_ms = 1 WHERE id = 1 AND done_ms = 1
UPDATE event SET repeated = 1 WHERE stream_no = 1 AND seq IN (1)
UPDATE event SET repeated = 1, served_at_ms = 1, variant = 's' WHERE stream_no = 1 AND seq = 1
UPDATE event SET user_id = 's' WHERE stream_no = 1 AND seq >= 1 AND seq <= 1 AND (user_id = 's' AND served_at_ms <= 1 OR user_id = 's' AND served_at_ms <= 1)
UPDATE event SET user_id = 's' WHERE stream_no = 1 AND seq >= 1 AND seq <= 1 AND (user_id = 's' AND served_at_ms <= 1)
UPDATE experiment_progress SET seq = GREATEST(seq + 1, (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1)) WHERE stream_no = 1 AND seq = 1
UPDATE experiment_progress SET seq = seq WHERE stream_no = 1
UPDATE ingest_stream SET closed = 1, updated_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) WHERE stream_id = 's'
UPDATE ingest_stream SET closed = closed WHERE 1 = 1
UPDATE ingest_stream SET last_seq = 1, closed = 1, host = 's', updated_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) WHERE stream_id = 's' AND last_seq = 1
UPDATE ingest_stream SET last_seq = 1, closed = 1, host = 's', updated_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) WHERE stream_no = 1 AND last_seq = 1
UPDATE ingest_stream SET removed = 1 WHERE stream_no = 1 AND removed = 1
UPDATE popups SET status = 's', priority = -1, start_at = NULL, end_at = NULL, max_impressions = 1, goal_window_sec = 1, spec = 's', version = 1, updated_at = 1 WHERE id = 1
UPDATE popups SET status = 's', priority = 1, start_at = NULL, end_at = NULL, max_impressions = 1, goal_window_sec = 1, spec = 's', version = 1, updated_at = 1 WHERE id = 1
UPDATE schema_lock SET lease_expires_at = now(1) + INTERVAL 1 SECOND, updated_at = now(1) WHERE lock_id = 1 AND locked_by = 's' AND locked = true
UPDATE schema_lock SET locked = false, locked_at = NULL, locked_by = NULL, lease_expires_at = NULL, updated_at = now(1) WHERE lock_id = 1 AND locked_by = 's'
UPDATE schema_lock SET locked = true, locked_at = now(1), locked_by = 's', lease_expires_at = now(1) + INTERVAL 1 SECOND, updated_at = now(1) WHERE lock_id = 1 AND (locked = false OR lease_expires_at < now(1))
UPDATE settings SET version = 1, spec = 's', updated_at = 1 WHERE id = 1
UPDATE user_popup SET ever = 1, impressions = 1, click_until_ms = 1, next_at_ms = 1 WHERE user_id = 's' AND popup_id = 1
UPDATE user_popup SET last_shown_ms = CASE WHEN last_shown_ms > 1 THEN last_shown_ms ELSE 1 END WHERE user_id = 's' AND last_impression_ms > 1
UPDATE webhook_outbox SET attempts = attempts + 1, due_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) + 1 WHERE id = 1 AND attempts = 1 AND settled_ms = 1
UPDATE webhook_outbox SET result = 's', due_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) + 1 WHERE id = 1 AND attempts = 1 AND settled_ms = 1
UPDATE webhook_outbox SET result = 's', settled_ms = (TIMESTAMPDIFF(MICROSECOND, 's', UTC_TIMESTAMP(1)) DIV 1) WHERE id = 1 AND attempts = 1 AND settled_ms = 1
