-- 2 pieces of advice from 1 analysed statement, of which 1 may read too much.
-- The new indexes take 2.5 MiB, estimated.

-- 1. Add an index on shop.orders (customer_id)
-- spares 99 ms of statement time a second
-- costs writes 2.69 µs a second
-- 2.5 MiB
-- built in 39.4 ms to 1 s
-- confidence 75 %
-- it is estimated from statistics, and was not tried
-- Online: reads and writes go on meanwhile, and are kept in a log of at most
-- innodb_online_alter_log_max_size.
-- Takes about 3 MB of disk, within 15 %, and up to twice that in innodb_tmpdir
-- or tmpdir while it is built.
-- It waits for transactions that are open on the table, and statements wait
-- behind it: it gives up after 5 s, and is then to be tried again.
-- A replica applies it for as long as the primary took, and stands behind
-- meanwhile.
SET SESSION lock_wait_timeout = 5;
ALTER TABLE `shop`.`orders` ADD INDEX `idx_customer_id` (`customer_id`), ALGORITHM=NOCOPY, LOCK=NONE;
-- back: ALTER TABLE `shop`.`orders` DROP INDEX `idx_customer_id`, ALGORITHM=NOCOPY, LOCK=NONE;

-- 2. Drop index by_day (day) of shop.orders
-- spares at most 2.63 µs a second
-- 1.68 MiB
-- confidence 90 %
-- by_day_customer begins with its columns and serves all that it does
-- It only hides the index, and can be undone at once. After seven days in which
-- nothing got slower: ALTER TABLE `shop`.`orders` DROP INDEX `by_day`
-- A statement that was not seen may name the index in USE or FORCE INDEX: it
-- fails with error 1176 from the moment that it is hidden.
SET SESSION lock_wait_timeout = 5;
ALTER TABLE `shop`.`orders` ALTER INDEX `by_day` IGNORED;
-- back: ALTER TABLE `shop`.`orders` ALTER INDEX `by_day` NOT IGNORED;
