-- Plimsoll's account on a MySQL or MariaDB server, as one script for both:
--
--   mysql < grants.sql        or        mariadb < grants.sql
--
-- Each server skips the lines that are meant for the other family. Run it on
-- the primary; the account reaches the replicas by replication. What each tier
-- lets Plimsoll see, and what is lost without it, is in docs/privileges.md.
--
-- The account has no password: the server lets in the operating system's user
-- plimsoll, and nobody else, over the socket. For a server on another host,
-- put a password and the agent's address in place of these two statements:
--
--   CREATE USER 'plimsoll'@'10.0.0.5' IDENTIFIED BY '...'
--     REQUIRE SSL WITH MAX_USER_CONNECTIONS 3;
--
-- MySQL needs its plugin for that: INSTALL PLUGIN auth_socket SONAME 'auth_socket.so';

/*M! CREATE USER IF NOT EXISTS 'plimsoll'@'localhost' IDENTIFIED VIA unix_socket WITH MAX_USER_CONNECTIONS 3 */;
/*!50700 CREATE USER IF NOT EXISTS 'plimsoll'@'localhost' IDENTIFIED WITH auth_socket WITH MAX_USER_CONNECTIONS 3 */;

-- Tier 1: load, statements, locks, transactions, replication. No table of yours.
/*M! GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO 'plimsoll'@'localhost' */;
/*!50700 GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'plimsoll'@'localhost' */;
GRANT SELECT ON performance_schema.* TO 'plimsoll'@'localhost';

-- Tier 2: names, types, indexes and statistics of tables, still without a row
-- of them. REFERENCES lets information_schema show a table; SELECT stays
-- refused. Name single schemas instead of *.* if you prefer.
GRANT REFERENCES ON *.* TO 'plimsoll'@'localhost';

-- Tier 3: use of tables and indexes on MariaDB without performance_schema.
-- It allows reading the rows, so it is yours to decide, schema by schema.
-- GRANT SELECT, SHOW VIEW ON shop.* TO 'plimsoll'@'localhost';
