<?php
// The traffic of three PHP shops on one server, with the calls that their frameworks make of PHP's
// extensions: WordPress by mysqli, Magento by PDO that puts the values into the statements itself,
// Laravel by PDO that lets the server prepare them. The arguments are the server's socket and how
// many requests each shop has; databases, accounts and passwords are wordpress, magento and laravel.

declare(strict_types=1);

/** Makes a call that is meant to fail. */
function failing(callable $call): void
{
    try {
        $call();
    } catch (PDOException | mysqli_sql_exception) {
        return;
    }
    throw new LogicException('a call that was meant to fail did not');
}

function pdo(string $name, bool $emulated, bool $persistent): PDO
{
    return new PDO('mysql:unix_socket=' . $GLOBALS['argv'][1] . ";dbname=$name;charset=utf8mb4", $name, $name, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_EMULATE_PREPARES => $emulated,
        PDO::ATTR_PERSISTENT => $persistent,
    ]);
}

/** Prepares a statement, executes it with values, and returns its rows. */
function rows(PDO $db, string $sql, array $values = []): array
{
    $statement = $db->prepare($sql);
    $statement->execute($values);
    return $statement->columnCount() > 0 ? $statement->fetchAll() : [];
}

/** A page of WordPress: a connection without a database, which is chosen then. */
function wordpress(int $page, string $host): void
{
    $db = new mysqli($host, 'wordpress', 'wordpress', null, 0, $GLOBALS['argv'][1]);
    $db->set_charset('utf8mb4');
    $db->query("SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'");
    $db->query('SELECT @@SESSION.sql_mode');
    $db->query("SET SESSION sql_mode='NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'");
    $db->select_db('wordpress');
    $db->query("SELECT option_name, option_value FROM wp_options WHERE autoload IN ( 'yes', 'on', 'auto-on', 'auto' )")->fetch_all();
    $db->query("SELECT option_value FROM wp_options WHERE option_name = '_transient_feed_$page' LIMIT 1")->fetch_all();
    $db->query("INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('_transient_feed_$page', 'a:1:{s:4:\\\"name\\\";s:7:\\\"O\\'Neill\\\";}', 'no') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`)");
    $db->query("INSERT INTO `wp_posts` (`post_title`, `post_content`, `post_status`, `post_type`, `post_date`) VALUES ('Vase $page; blau – 🏺', '<!-- wp:paragraph -->\r\n<p>It''s\r\n# Time: now\r\n', 'publish', 'product', '2026-11-20 10:00:$page')");
    $id = $db->insert_id;
    $db->query("INSERT INTO `wp_postmeta` (`post_id`, `meta_key`, `meta_value`) VALUES ($id, '_price', '19.90')");
    $db->query("
		SELECT SQL_CALC_FOUND_ROWS  wp_posts.ID
		FROM wp_posts  INNER JOIN wp_postmeta ON ( wp_posts.ID = wp_postmeta.post_id )
		WHERE 1=1  AND (
  ( wp_postmeta.meta_key = '_price' AND CAST(wp_postmeta.meta_value AS SIGNED) > -$page )
) AND ((wp_posts.post_type = 'product' AND (wp_posts.post_status = 'publish')))
		GROUP BY wp_posts.ID
		ORDER BY wp_posts.post_date DESC
		LIMIT 0, 10
	")->fetch_all();
    $db->query('SELECT FOUND_ROWS()')->fetch_all();
    $db->query("SELECT post_id, meta_key, meta_value FROM wp_postmeta WHERE post_id IN (" . implode(',', range(1, 1 + $page)) . ') ORDER BY meta_id ASC')->fetch_all();
    $db->query("SHOW FULL COLUMNS FROM `wp_options`")->fetch_all();
    failing(fn() => $db->query("SELECT * FROM wp_woocommerce_sessions WHERE session_key = '$page'"));
    failing(fn() => $db->query("INSERT INTO wp_posts (ID) VALUES ($id)"));
    failing(fn() => $db->query("SELECT * FROM wp_posts WHERE post_title = 'it's'"));
    $statement = $db->prepare('SELECT meta_value FROM wp_postmeta WHERE post_id = ? AND meta_key = ?');
    $statement->bind_param('is', ...[&$id, &$key]);
    foreach (['_price', '_sku', '_stock'] as $key) {
        $statement->execute();
        $statement->get_result()->fetch_all();
    }
    $db->close();
}

/** An order in Magento, which changes prices too: triggers note these for the indexer. */
function magento(int $order, bool $persistent): void
{
    $db = pdo('magento', true, $persistent);
    $db->exec('SET NAMES utf8');
    rows($db, 'SELECT `e`.*, `at_price`.`value` AS `price` FROM `catalog_product_entity` AS `e`
 INNER JOIN `catalog_product_entity_decimal` AS `at_price` ON (`at_price`.`entity_id` = `e`.`entity_id`) AND (`at_price`.`attribute_id` = :attribute) WHERE (at_price.value > :least)', ['attribute' => 77, 'least' => '9.99']);
    $db->beginTransaction();
    rows($db, 'INSERT INTO `catalog_product_entity` (`sku`, `type_id`) VALUES (?, ?), (?, ?) ON DUPLICATE KEY UPDATE `type_id` = VALUES(`type_id`)', ["A-$order", 'simple', "B-$order", "it's \\ \"configurable\""]);
    rows($db, "INSERT INTO `catalog_product_entity_decimal` (`attribute_id`, `entity_id`, `value`) VALUES (?, ?, ?)
        ON DUPLICATE KEY UPDATE `value` = VALUES(`value`) + 1", [77, 1 + $order % 4, 10 + $order]);
    rows($db, '/* the stock of what is bought;
        in one statement */
UPDATE cataloginventory_stock_item
SET qty = CASE product_id WHEN 1 THEN qty-1 WHEN 2 THEN qty-2 ELSE qty END -- others stay
WHERE product_id IN (?, ?)', [1, 2]);
    $db->commit();
    $db->beginTransaction();
    rows($db, 'SELECT `si`.* FROM `cataloginventory_stock_item` AS `si` WHERE (product_id IN (?, ?, ?)) FOR UPDATE', [1, 2, 3]);
    rows($db, 'REPLACE INTO cataloginventory_stock_item (product_id, qty) VALUES (?, ?)', [$order % 3, '100.0000']);
    $db->rollBack();
    rows($db, 'UPDATE catalog_product_entity_decimal SET value = value + 1 WHERE attribute_id = 77');
    rows($db, 'CALL reindex(?)', [$order]);
    $db->exec('CREATE TEMPORARY TABLE IF NOT EXISTS `search_tmp_5b6f` (`entity_id` INT PRIMARY KEY, `score` DECIMAL(32,16)) ENGINE=Memory');
    rows($db, 'INSERT INTO `search_tmp_5b6f` SELECT entity_id, 1.0 FROM catalog_product_entity');
    rows($db, 'SELECT COUNT(*), SUM(a.score) FROM search_tmp_5b6f a');
    $db->exec('DROP TEMPORARY TABLE `search_tmp_5b6f`');
    rows($db, "SELECT GET_LOCK('cron', ?)", [0]);
    rows($db, 'SELECT SLEEP(?)', [0.02]);
    rows($db, "SELECT RELEASE_LOCK('cron')");
    $db->exec("SET @total = 49.90; INSERT INTO quote (customer_email, grand_total) VALUES ('ann@example.com', @total); SELECT grand_total FROM quote WHERE customer_email = 'ann@example.com'");
    failing(fn() => rows($db, 'INSERT INTO quote (entity_id) VALUES (?)', [1]));
    failing(fn() => rows($db, 'SELECT nothing FROM quote'));
}

/** A request of Laravel, with everything prepared by the server. */
function laravel(int $request, bool $persistent): void
{
    $db = pdo('laravel', false, $persistent);
    $db->exec('use `laravel`;');
    $db->exec("set names 'utf8mb4' collate 'utf8mb4_unicode_ci'");
    $db->exec("SET SESSION sql_mode='ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'");
    $find = $db->prepare('select * from `users` where `id` = ? and `remember_token` is null limit 1');
    foreach ([1, 2, $request] as $id) {
        $find->execute([$id]);
        $find->fetchAll();
    }
    rows($db, 'insert into `users` (`email`, `name`) values (?, ?)', ["$request@example.com", 'Ann']);
    failing(fn() => rows($db, 'insert into `users` (`email`, `name`) values (?, ?)', ["$request@example.com", 'Bob']));
    failing(fn() => rows($db, 'select * from `telescope_entries` where `id` = ?', [$request]));
    rows($db, 'insert into `jobs` (`queue`, `payload`, `attempts`, `available_at`) values (?, ?, 0, ?)', ['mail', "{\"job\":\"Mail\"\n}", 5]);
    $db->beginTransaction();
    rows($db, 'select * from `jobs` where `queue` = ? and ((`reserved_at` is null and `available_at` <= ?)) order by `id` asc limit 1 FOR UPDATE SKIP LOCKED', ['mail', 100]);
    rows($db, 'update `jobs` set `reserved_at` = ?, `attempts` = ? where `id` = ?', [100, 1, $request]);
    $db->commit();
    $db->beginTransaction();
    rows($db, 'delete from `jobs` where `id` = ?', [$request]);
    $db->rollBack();
    rows($db, 'select count(*) as aggregate from `users` where `email` like ?', ['%@example.com']);
    rows($db, 'update `sessions` set `last_activity` = ? where `id` = ?', [$request, 'none']);
    $db->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
    $unbuffered = $db->prepare('select `id`, `email` from `users` order by `id`');
    $unbuffered->execute();
    $unbuffered->fetch();
    $unbuffered->closeCursor();
    $db->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, true);
    $db->query("select /* route:users.index */ `name` from `users`
        where `email` = '$request@example.com' -- not prepared")->fetchAll();
}

/** An update of Magento: statements that administer tables, one that is longer than a digest, and a time limit. */
function deploy(): void
{
    $db = pdo('magento', true, false);
    $db->exec('ALTER TABLE quote ADD INDEX by_email (customer_email)');
    $db->exec('ALTER TABLE quote DROP INDEX by_email');
    rows($db, 'ANALYZE TABLE quote');
    rows($db, 'OPTIMIZE TABLE quote');
    $sums = array_map(fn(int $i) => "SUM(CASE WHEN `item`.`product_id` = $i THEN `item`.`qty` END) AS `quantity_of_product_$i`", range(1, 40));
    rows($db, 'SELECT ' . implode(', ', $sums) . ' FROM `cataloginventory_stock_item` AS `item`');
    $mariadb = str_contains($db->getAttribute(PDO::ATTR_SERVER_VERSION), 'MariaDB');
    rows($db, $mariadb ? 'SET STATEMENT max_statement_time=60 FOR SELECT sku FROM catalog_product_entity'
        : 'SELECT /*+ MAX_EXECUTION_TIME(60000) */ sku FROM catalog_product_entity');
}

/** Two orders of the same products in opposite order: the server ends one of them. */
function deadlock(): void
{
    $take = fn(int $product) => "UPDATE cataloginventory_stock_item SET qty = qty - 1 WHERE product_id = $product";
    $orders = [];
    foreach ([1, 2] as $product) {
        $db = new mysqli('localhost', 'magento', 'magento', 'magento', 0, $GLOBALS['argv'][1]);
        $db->begin_transaction();
        $db->query($take($product));
        $orders[] = $db;
    }
    $orders[0]->query($take(2), MYSQLI_ASYNC);
    $ended = 0;
    foreach ([fn() => $orders[1]->query($take(1)), fn() => $orders[0]->reap_async_query()] as $wait) {
        try {
            $wait();
        } catch (mysqli_sql_exception $e) {
            $ended += $e->getCode() === 1213 ? 1 : 100;
        }
    }
    $ended === 1 || throw new LogicException("$ended transactions were ended, not one");
}

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
for ($i = 1; $i <= (int) $argv[2]; $i++) {
    wordpress($i, $i % 2 ? 'localhost' : 'p:localhost');
    magento($i, $i % 2 === 0);
    laravel($i, $i % 3 !== 0);
}
deploy();
deadlock();
