package sqltext_test

import (
	"fmt"
	"strings"
)

// schema makes what the statements below speak of, as far as it matters to a digest: servers compute
// one for every statement that they can parse, of tables that do not exist too.
var schema = []string{
	"CREATE DATABASE shop",
	"CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b INT, c VARCHAR(100), d DATETIME, `fields` INT, status INT, name VARCHAR(20), KEY a (a))",
	"CREATE TABLE shop.t2 LIKE shop.t",
	"CREATE TABLE shop.events (id INT, status INT)",
	"CREATE TABLE shop.`Order` (id INT)",
	"CREATE PROCEDURE shop.pr(x INT, y INT) SELECT x + y",
}

// statements are live SQL whose digest texts all servers must give the same fingerprint.
var statements = []string{
	// Literals.
	"SELECT * FROM t WHERE a = 1 AND b = 1.5 AND c = .5 AND d = 1e10 AND a > 1.5e-3 AND a < 2.",
	"SELECT * FROM t WHERE a = 0x41 OR c = x'41' OR c = X'4D' OR b = b'01' OR b = 0b01 OR a IN (0x41, x'42', 1)",
	"SELECT * FROM t WHERE c = 'it''s' OR c = \"dq\" OR c = \"a\"\"b\" OR c = 'a\\'b' OR c = 'a\\\\'",
	"SELECT * FROM t WHERE c = N'abc' OR c = n'abc' OR c = _utf8mb4'x' OR c = _latin1 'x' OR c = _binary 0x41 OR c = _utf8mb4 X'41'",
	"SELECT 'a' 'b', 'c' \"d\"   'e', 1 'alias' FROM t",
	"SELECT DATE '2026-01-01', TIME'10:00:00', TIMESTAMP '2026-01-01 00:00:00', {d '2026-01-01'}, TRUE, FALSE",
	"SELECT * FROM t WHERE c LIKE '100\\%' ESCAPE '\\\\' AND c LIKE '%x%' ESCAPE '|'",
	"SELECT * FROM t WHERE c = 'x' COLLATE utf8mb4_general_ci AND c = BINARY 'x'",
	"SELECT 1, 2",
	"SELECT 1",
	"SELECT 'ä€😀', `ä€`, é FROM t",
	// Signs.
	"SELECT * FROM t WHERE a = -1 AND b=+2 AND a != - 3 AND a >-4 AND a<=>-5 AND b IN (-1, +2) AND a BETWEEN -5 AND -3",
	"SELECT a - 1, a -1, a-1, - - 1, -a, - -a, 2 - -1, (-1), -(-1), a * -1, a | -1, a DIV -1 FROM t",
	"SELECT CASE WHEN a = -1 THEN -1 WHEN b THEN -2 ELSE -3 END - 1 FROM t",
	"UPDATE t SET a = a - 1, b = -1 WHERE id = -1 AND NOT -1 OR -2 LIMIT 1",
	"SELECT * FROM t WHERE id - 1 > 0 AND status - 1 > 0 AND (a) - 1 > 0 AND IF(a, -1, 1) - 1 > 0 HAVING -1",
	"SELECT a FROM t ORDER BY -a, -1 DESC LIMIT 1",
	// NULL.
	"SELECT * FROM t WHERE c IS NULL AND b IS NOT NULL AND a = NULL AND c <=> NULL",
	"SELECT IFNULL(a, NULL), COALESCE(NULL, a), NULL, CASE a WHEN NULL THEN NULL ELSE NULL END FROM t ORDER BY NULL",
	"SELECT * FROM t WHERE a IS TRUE AND b IS NOT FALSE AND a IS UNKNOWN AND c IS NOT UNKNOWN",
	"INSERT INTO t (a, b, c) VALUES (1, NULL, 'x'), (NULL, 2, NULL)",
	"UPDATE t SET c = NULL, d = DEFAULT WHERE id = 1",
	// Lists and rows.
	"SELECT * FROM t WHERE a IN (1)",
	"SELECT * FROM t WHERE a IN (1, 2, 3) AND b NOT IN (4) AND c NOT IN ('x', 'y')",
	"SELECT * FROM t WHERE c IN (NULL) OR c IN (NULL, 'x') OR a IN (b) OR a IN (b, 1, 2) OR a IN (1, b)",
	"SELECT * FROM t WHERE a IN (UNHEX('01')) OR a IN (UNHEX('01'), UNHEX('02'), UNHEX('03'))",
	"SELECT * FROM t WHERE (a, b) IN ((1, 2)) OR (a, b) IN ((1, 2), (3, 4)) OR (a, b) = (1, 2) OR (1, 2) = (3, 4)",
	"SELECT * FROM t WHERE a IN (SELECT a FROM t2 WHERE b IN (1, 2))",
	"INSERT INTO t (a) VALUES (1)",
	"INSERT INTO t (a) VALUES (1), (2), (3)",
	"INSERT INTO t (a, b) VALUES (1, 2)",
	"INSERT INTO t (a, b) VALUES (1, 2), (3, 4), (5, 6)",
	"INSERT INTO t (a, d) VALUES (1, NOW())",
	"INSERT INTO t (a, d) VALUES (1, NOW()), (2, NOW()), (3, NOW())",
	"INSERT INTO t (a, b, c) VALUES (1, DEFAULT, CONCAT('a', 'b')), (2, 3, 'c'), (4, 5, 'd')",
	"REPLACE INTO t (id, a) VALUES (1, DEFAULT), (2, 3)",
	"INSERT t VALUES ROW(1, 2), ROW(3, 4)",
	"SELECT CONCAT('a', 'b'), CONCAT(c, 'x', 'y'), CONCAT('x', c), concat('a'), MD5('x'), FIELD(a, 1, 2, 3) FROM t",
	"SELECT (1), (2), (1, 2) = (3, 4), ((1)) FROM t",
	// LIMIT.
	"SELECT * FROM t LIMIT 5",
	"SELECT * FROM t LIMIT 5, 10",
	"SELECT * FROM t LIMIT 10 OFFSET 5",
	"SELECT * FROM t LIMIT ROWS EXAMINED 10",
	"SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS ONLY",
	"SELECT a FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY",
	"DELETE FROM t WHERE a < 5 ORDER BY id LIMIT 1000",
	// Numbers of columns.
	"SELECT a, b, COUNT(*) FROM t GROUP BY 1, 2 ORDER BY 2 DESC, 1",
	"SELECT a, COUNT(*) c FROM t GROUP BY a WITH ROLLUP HAVING c > 1 ORDER BY NULL",
	// Comments and hints.
	"/* app:checkout */ SELECT a /* b */ FROM t",
	"SELECT a -- the first\nFROM t # the table\nWHERE a = 1 --\n AND b = 2",
	"SELECT 5--1, 5-- 1\n FROM t",
	"SELECT /*!40001 SQL_NO_CACHE */ * FROM t",
	"SELECT /*! STRAIGHT_JOIN */ a FROM t",
	"SELECT a /*!50600 , b */ FROM t",
	"SELECT /*+ MAX_EXECUTION_TIME(1000) */ a FROM t",
	"SELECT /*+ QB_NAME(qb1) NO_INDEX_MERGE(t@qb1) */ a FROM t WHERE a = 1",
	"SELECT a FROM t USE INDEX (a) WHERE a = 1",
	"SELECT a FROM t FORCE INDEX FOR JOIN (a, PRIMARY) IGNORE KEY FOR ORDER BY (a) WHERE a = 1",
	"SELECT * FROM t WHERE a = 1;",
	"  \t\n SELECT\t*\r\nFROM  t  ",
	// Words that are keywords to one server or the other, as names.
	"SELECT id, status, name, `id`, `status`, `name`, t.id, t.`status`, t . id FROM t WHERE id = 1 AND status = 2",
	"SELECT ID, Status, NAME FROM t WHERE t.ID = 1",
	"SELECT fields, `fields`, columns, `columns`, type, data, value, `value`, user, `user`, date, time, text FROM t",
	"SELECT day, month, year, hour, minute, second, week, quarter, microsecond FROM t",
	"SELECT count, sum, max, mid, std, now, position, rank FROM t",
	"SELECT password, host, port, source, level, mode, offset1, role, session, language, comment, action, any, at, end FROM t",
	"SELECT * FROM `Order` o JOIN events e ON o.id = e.id LEFT JOIN shop.t2 AS x ON x.id = e.id WHERE e.status = 1",
	"SELECT t.`order`, t.`select`, `t`.`group` FROM t",
	"SELECT * FROM wp_12_posts JOIN 2024_orders ON wp_12_posts.1a = 2024_orders.id",
	"SELECT shop.t.id, .5, t.a+.5 FROM shop.t",
	"INSERT INTO t (id, name, status) VALUES (1, 'x', 2) ON DUPLICATE KEY UPDATE name = VALUES(name), status = status + 1",
	// Words with synonyms.
	"SELECT DISTINCT a FROM t",
	"SELECT DISTINCTROW COUNT(DISTINCT a), COUNT( * ), count(*) FROM t",
	"SELECT CURRENT_TIMESTAMP, NOW(), NOW(6), LOCALTIMESTAMP, LOCALTIMESTAMP(), CURDATE(), CURRENT_DATE, CURRENT_TIME, CURTIME(), UTC_TIMESTAMP()",
	"SELECT SUBSTR(c, 1, 2), SUBSTRING(c, 1), MID(c, 1, 2), SUBSTRING(c FROM 1 FOR 2), STD(a), STDDEV(a), STDDEV_POP(a), VARIANCE(a), VAR_POP(a), VAR_SAMP(a) FROM t",
	"SELECT SCHEMA(), DATABASE(), USER(), SESSION_USER(), SYSTEM_USER(), CURRENT_USER(), CURRENT_USER, VERSION()",
	"SELECT * FROM t WHERE c RLIKE 'x' AND NOT c REGEXP 'y' AND c SOUNDS LIKE 'z'",
	"SELECT * FROM t WHERE a != 1 AND b <> 2 && c = 3 || d = 4 XOR NOT a AND !b",
	"SELECT * FROM t WHERE a = ANY (SELECT a FROM t2) OR a > SOME (SELECT a FROM t2) OR a < ALL (SELECT 1)",
	"SELECT CAST(a AS DECIMAL(10,2)), CAST(c AS CHAR(10)), CAST(a AS UNSIGNED INTEGER), CONVERT(c USING utf8mb4), CONVERT(a, SIGNED) FROM t",
	"SELECT * FROM t WHERE d > NOW() - INTERVAL 1 DAY AND d < DATE_ADD(d, INTERVAL '1:1' MINUTE_SECOND) AND d < date_format(d, '%Y')",
	"SELECT TIMESTAMPDIFF(DAY, d, NOW()), TIMESTAMPADD(SQL_TSI_HOUR, 1, d), EXTRACT(YEAR_MONTH FROM d), d + INTERVAL 2 WEEK, ADDDATE(d, 3), DATE_SUB(d, INTERVAL 1 QUARTER), DAY(d), WEEK(d, 3) FROM t",
	"SHOW COLUMNS FROM t",
	"SHOW FULL FIELDS FROM t LIKE 'a%'",
	"SHOW SCHEMAS LIKE 'a%'",
	"EXPLAIN SELECT a FROM t WHERE a = 1",
	"DESCRIBE t",
	// Functions and clauses.
	"SELECT IF(a > 1, 'x', 'y'), NULLIF(a, 1), LEFT(c, 3), REPLACE(c, 'a', 'b'), CHAR(65, 66), DATE(d), YEAR(d), RAND(), ROUND(a, 2), UUID(), LAST_INSERT_ID(), GROUP_CONCAT(a ORDER BY b SEPARATOR ','), TRIM(BOTH 'x' FROM c), INSERT(c, 1, 2, 'x'), REPEAT(c, 2), MOD(a, 2), TRUNCATE(a, 1), ASCII(c), FORMAT(a, 2) FROM t",
	"SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) rn, LAG(a, 1) OVER w FROM t WINDOW w AS (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
	"SELECT JSON_EXTRACT(c, '$.a'), JSON_ARRAYAGG(a), JSON_OBJECTAGG(a, b), json_value(c, '$.a') FROM t",
	"SELECT c->'$.a', c->>'$.b' FROM t WHERE c->'$.a' = 1",
	"SELECT * FROM t WHERE MATCH(c) AGAINST('x' IN BOOLEAN MODE) AND MATCH (c) AGAINST ('+a -b' WITH QUERY EXPANSION)",
	"WITH x AS (SELECT a FROM t), y (n) AS (SELECT 1) SELECT * FROM x, y",
	"WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x WHERE n < 10) SELECT n FROM x",
	"SELECT a FROM t UNION ALL SELECT a FROM t UNION ALL SELECT a FROM t UNION ALL SELECT a FROM t",
	"(SELECT a FROM t) UNION (SELECT b FROM t) ORDER BY a LIMIT 5",
	"SELECT a FROM t EXCEPT SELECT a FROM t2",
	"SELECT * FROM (SELECT a, b FROM t WHERE a = 1) x LEFT OUTER JOIN t2 USING (id) NATURAL JOIN t2 y",
	"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t2 WHERE t2.id = t.id)",
	"SELECT a a1, b AS 'b1', c \"c1\", d AS `d1` FROM t AS tt",
	"SELECT a FROM t PARTITION (p0, p1) WHERE a = 1",
	"SELECT ~a, a << 1, a >> 1, a & 1, a ^ 1, a % 2, a MOD 2 FROM t",
	"TABLE t",
	"VALUES (1, 2), (3, 4)",
	// Locks.
	"SELECT * FROM t WHERE a = 1 FOR UPDATE",
	"SELECT a FROM t WHERE a = 1 FOR UPDATE SKIP LOCKED",
	"SELECT a FROM t WHERE a = 1 FOR UPDATE WAIT 5",
	"SELECT * FROM t LOCK IN SHARE MODE",
	"SELECT a FROM t FOR SHARE OF t NOWAIT",
	// Writes.
	"INSERT INTO t SET a = 1, b = 2 ON DUPLICATE KEY UPDATE b = VALUES(b), a = a + 1",
	"INSERT INTO t (a, b) VALUES (1, 2) AS new ON DUPLICATE KEY UPDATE b = new.b",
	"INSERT INTO t (a) SELECT a FROM t2 WHERE b = 1",
	"INSERT INTO t (a) VALUES (1) RETURNING id, a",
	"UPDATE t JOIN t2 ON t.id = t2.id SET t.a = t2.a, t.c = 'x' WHERE t2.b IN (1)",
	"DELETE t FROM t JOIN t2 ON t.id = t2.id WHERE t2.a = 1",
	"DELETE FROM t, t2 USING t JOIN t2 WHERE t.id = t2.id",
	"LOAD DATA LOCAL INFILE '/tmp/x' INTO TABLE t FIELDS TERMINATED BY ',' ENCLOSED BY '\"' LINES TERMINATED BY '\\n' (a, b)",
	// Variables, procedures, sessions.
	"SELECT @a, @'b', @`c`, @\"d\", @e.f, @@version, @@global.sort_buffer_size, @@session.`sql_mode`",
	"SELECT @a := 1, @b:=@a+1",
	"SET @a = 1, @b = 'x'",
	"SET SESSION sql_mode = 'STRICT_ALL_TABLES', @@session.sort_buffer_size = 200000",
	"SET STATEMENT max_statement_time = 1 FOR SELECT * FROM t WHERE a = 1",
	"SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
	"SET NAMES 'utf8mb4'",
	"SET autocommit = 0",
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	"START TRANSACTION WITH CONSISTENT SNAPSHOT",
	"BEGIN",
	"COMMIT",
	"SAVEPOINT LEVEL1",
	"ROLLBACK TO SAVEPOINT trans2",
	"CALL pr(1, 2)",
	"CALL shop.pr(-1, @x)",
	"DO SLEEP(0), RELEASE_LOCK('x')",
	"SELECT GET_LOCK('a', 10)",
	"KILL QUERY 99999",
	"SHOW VARIABLES WHERE variable_name IN ('a', 'b')",
	"CREATE USER 'u'@'localhost' IDENTIFIED BY 'secret'",
	"CREATE USER u@h IDENTIFIED BY 'secret'",
	"GRANT SELECT, INSERT (a) ON shop.* TO u@h",
	// Definitions.
	"CREATE TABLE zz (id INT(11) UNSIGNED NOT NULL DEFAULT '0', x VARCHAR(10) DEFAULT NULL, y DECIMAL(10,2) NULL, z INTEGER NULL DEFAULT -1, e ENUM('a', 'b'), KEY x (x(5)), CONSTRAINT f FOREIGN KEY (id) REFERENCES t (id) ON DELETE SET NULL) ENGINE=InnoDB COMMENT='x'",
	"CREATE TABLE zy (a INT1, b INT2, c INT3, d INT4, e INT8, f MIDDLEINT, g DEC(5), h FIXED(5), i FLOAT4, j FLOAT8, k CHARACTER(5), l VARCHARACTER(5), m NUMERIC(5), n CHAR VARYING(5), o NATIONAL CHAR(5), p BOOLEAN, q DOUBLE PRECISION)",
	"ALTER TABLE t ADD COLUMN q INT NULL DEFAULT -1 AFTER a, DROP KEY a, ADD UNIQUE KEY yy (c(10)), COMMENT = 'x'",
	"CREATE INDEX i ON t (a, c(10) DESC)",
	"DROP TABLE IF EXISTS nosuch, shop.nosuch2",
	"TRUNCATE TABLE t2",
	"RENAME TABLE nosuch TO nosuch2",
	"CREATE TABLE part (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
	"ANALYZE TABLE t",
	// Magento 2.
	"SELECT `e`.*, IF(at_status.value_id > 0, at_status.value, at_status_default.value) AS `status` FROM `catalog_product_entity` AS `e` INNER JOIN `catalog_product_entity_int` AS `at_status_default` ON (`at_status_default`.`entity_id` = `e`.`entity_id`) AND (`at_status_default`.`attribute_id` = '97') AND `at_status_default`.`store_id` = 0 LEFT JOIN `catalog_product_entity_int` AS `at_status` ON (`at_status`.`entity_id` = `e`.`entity_id`) AND (`at_status`.`attribute_id` = '97') AND (`at_status`.`store_id` = 1) WHERE ((IF(at_status.value_id > 0, at_status.value, at_status_default.value) = '1')) ORDER BY `e`.`entity_id` DESC LIMIT 12 OFFSET 24",
	"SELECT `u`.* FROM (SELECT `t_d`.`attribute_id`, `t_d`.`value` AS `default_value`, `t_s`.`value` AS `store_value`, IF(t_s.value_id IS NULL, t_d.value, t_s.value) AS `value` FROM `catalog_product_entity_varchar` AS `t_d` LEFT JOIN `catalog_product_entity_varchar` AS `t_s` ON t_s.attribute_id = t_d.attribute_id AND t_s.entity_id = t_d.entity_id AND t_s.store_id = 1 WHERE (t_d.entity_id = '2046') AND (t_d.attribute_id IN ('73', '84')) AND (t_d.store_id = IFNULL(t_s.store_id, 0))) AS `u`",
	"SELECT `url_rewrite`.* FROM `url_rewrite` WHERE (`request_path` IN ('women/tops.html', 'women/tops.html/')) AND (`store_id` IN ('1'))",
	"INSERT INTO `inventory_reservation` (`stock_id`, `sku`, `quantity`, `metadata`) VALUES ('1', '24-MB01', '-1', '{\"event_type\":\"order_placed\"}')",
	"SELECT `flag`.* FROM `flag` WHERE (flag_code='analytics_link_subscription_update_reverse_counter') LIMIT 1",
	"UPDATE `quote` SET `updated_at` = '2026-01-01 00:00:00', `items_qty` = '2.0000', `customer_id` = NULL WHERE (entity_id='4711')",
	"SELECT `main_table`.`entity_id`, COUNT(DISTINCT main_table.entity_id) FROM `sales_order_grid` AS `main_table` WHERE (`created_at` >= '2026-01-01') GROUP BY `main_table`.`entity_id` HAVING (COUNT(*) > 1)",
	"DELETE FROM `cron_schedule` WHERE (status IN ('success', 'missed')) AND (scheduled_at < DATE_SUB(NOW(), INTERVAL 60 MINUTE))",
	// Drupal 10.
	"SELECT `base_table`.`vid` AS `vid`, `base_table`.`nid` AS `nid` FROM `node` `base_table` INNER JOIN `node_field_data` `node_field_data` ON `node_field_data`.`nid` = `base_table`.`nid` WHERE (`node_field_data`.`status` = 1) AND (`node_field_data`.`type` IN ('article')) ORDER BY `node_field_data`.`created` DESC LIMIT 10 OFFSET 0",
	"SELECT cid, data, created, expire, serialized, tags, checksum FROM cache_render WHERE cid IN ( 'a', 'b', 'c' ) ORDER BY cid",
	"INSERT INTO `cache_config` (`cid`, `created`, `data`, `expire`, `tags`, `checksum`, `serialized`) VALUES ('a', 1, 'b', -1, '', '0', 1) ON DUPLICATE KEY UPDATE `cid` = VALUES(`cid`), `data` = VALUES(`data`)",
	"SELECT session FROM sessions WHERE sid = 'abc' LIMIT 0, 1",
	"SELECT 1 AS `expression` FROM `semaphore` `s` WHERE `name` = 'cron' AND `expire` > 1767225600.123",
	// WordPress.
	"SELECT option_name, option_value FROM wp_options WHERE autoload = 'yes'",
	"SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts LEFT JOIN wp_term_relationships ON (wp_posts.ID = wp_term_relationships.object_id) WHERE 1=1 AND ( wp_term_relationships.term_taxonomy_id IN (7) ) AND wp_posts.post_type = 'post' AND ((wp_posts.post_status = 'publish')) GROUP BY wp_posts.ID ORDER BY wp_posts.post_date DESC LIMIT 0, 10",
	"SELECT FOUND_ROWS()",
	"SELECT post_id, meta_key, meta_value FROM wp_postmeta WHERE post_id IN (1,2,3) ORDER BY meta_id ASC",
	"INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('_transient_x', 'a:0:{}', 'no') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`), `autoload` = VALUES(`autoload`)",
	"SELECT t.*, tt.* FROM wp_terms AS t INNER JOIN wp_term_taxonomy AS tt ON t.term_id = tt.term_id WHERE tt.taxonomy IN ('category') AND t.slug = 'x' ORDER BY t.name ASC",
	"SELECT YEAR(post_date) AS `year`, MONTH(post_date) AS `month`, count(ID) as posts FROM wp_posts WHERE post_type = 'post' GROUP BY YEAR(post_date), MONTH(post_date) ORDER BY post_date DESC",
	"SELECT ID, user_login FROM wp_users WHERE user_login = 'admin' OR user_email LIKE '%@example.org%' LIMIT 1",
	// Laravel.
	"select * from `jobs` where `queue` = 'default' and ((`reserved_at` is null and `available_at` <= 1767225600) or (`reserved_at` <= 1767225510)) order by `id` asc limit 1 for update skip locked",
	"select count(*) as aggregate from `users` where exists (select * from `roles` inner join `role_user` on `roles`.`id` = `role_user`.`role_id` where `users`.`id` = `role_user`.`user_id` and `name` = 'admin') and `users`.`deleted_at` is null",
	"update `sessions` set `payload` = 'YTo', `last_activity` = 1767225600, `user_id` = null, `ip_address` = '127.0.0.1' where `id` = 'abc'",
	"insert into `cache` (`expiration`, `key`, `value`) values (1767225600, 'k', 'i:1;') on duplicate key update `expiration` = values(`expiration`), `key` = values(`key`), `value` = values(`value`)",
	"select * from `orders` where `user_id` = 5 and date(`created_at`) = '2026-01-01' order by `created_at` desc limit 15 offset 0",
	"delete from `failed_jobs` where `failed_at` <= '2026-01-01 00:00:00'",
	// Symfony and Doctrine.
	"SELECT t0.id AS id_1, t0.email AS email_2, t0.roles AS roles_3 FROM user t0 WHERE t0.email = 'x@example.org' LIMIT 1",
	"SELECT DISTINCT id_0, MIN(sclr_1) AS dctrn_minrownum FROM (SELECT a0_.id AS id_0, ROW_NUMBER() OVER (ORDER BY a0_.id DESC) AS sclr_1 FROM article a0_ WHERE a0_.published_at <= '2026-01-01') dctrn_result GROUP BY id_0 ORDER BY dctrn_minrownum ASC LIMIT 10",
	"SELECT m.* FROM messenger_messages m WHERE (m.queue_name = 'default') AND (m.delivered_at is null OR m.delivered_at < '2026-01-01') AND (m.available_at <= '2026-01-01') ORDER BY available_at ASC LIMIT 1 FOR UPDATE",
	"INSERT INTO sessions (sess_id, sess_data, sess_lifetime, sess_time) VALUES ('a', 'b', 1440, 1767225600) ON DUPLICATE KEY UPDATE sess_data = VALUES(sess_data), sess_lifetime = VALUES(sess_lifetime), sess_time = VALUES(sess_time)",
	"SELECT c0_.id, (SELECT COUNT(*) FROM comment c1_ WHERE c1_.post_id = c0_.id) AS sclr_0 FROM post c0_ WHERE c0_.id IN (1) AND c0_.state NOT IN ('spam', 'draft')",
}

// longStatements exceed a digest of 1024 bytes. Each has two versions that differ behind that.
var longStatements = [][2]string{
	repeat("SELECT ", "`column_number_%03d`", ", ", 140, " FROM t WHERE a = 1", " FROM t2 WHERE a = 1"),
	repeat("SELECT * FROM t WHERE ", "a = %d", " OR ", 600, " OR b = 1", " AND b = 1"),
	repeat("SELECT a FROM t WHERE ", "a > %d AND c LIKE 'x' AND b IN (-%d, 2)", " AND ", 120, "", " AND a = 1"),
	repeat("SELECT * FROM t WHERE ", "a IN (1, 2) OR ab%d - -1 = 3", " OR ", 200, " LIMIT 1", " LIMIT 1, 2"),
	repeat("INSERT INTO t (a, b) VALUES ", "(%d, CONCAT('a', 'b', UPPER(CONCAT('c', LOWER(CONCAT(UPPER('d'), LOWER(UPPER('e'))))))))", ", ", 50, "", " ON DUPLICATE KEY UPDATE a = 1"),
	repeat("", "SELECT `attribute_id`, `value` FROM `catalog_product_entity_varchar` WHERE `entity_id` = %d", " UNION ALL ", 20, "", " ORDER BY 1"),
	repeat("SELECT CASE ", "WHEN a = %d THEN -1", " ", 200, " ELSE 1 END FROM t", " ELSE 2 END FROM t2"),
}

// repeat builds a statement of n parts with two ends.
func repeat(begin, part, separator string, n int, ends ...string) (out [2]string) {
	var parts []string
	for i := range n {
		parts = append(parts, strings.ReplaceAll(part, "%d", fmt.Sprint(i)))
		if strings.Contains(part, "%03d") {
			parts[i] = fmt.Sprintf(part, i)
		}
	}
	for i, end := range ends {
		out[i] = begin + strings.Join(parts, separator) + end
	}
	return out
}
