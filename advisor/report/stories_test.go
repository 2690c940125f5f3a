package report

import (
	"time"

	"plimsoll/advisor/ledger"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

// stories are the reports that every format is held to.
func stories() map[string]*Report {
	return map[string]*Report{
		"shop": shop(), "healthy": healthy(), "unseen": nothingYet(), "hostile": hostile("x"),
	}
}

// now is the time of every story, in a zone of its own so that reports say so.
func now() time.Time {
	return time.Date(2026, 3, 4, 11, 15, 0, 0, time.FixedZone("CET", 3600))
}

func lastDay() fleet.Window { return fleet.Window{From: now().Add(-24 * time.Hour), To: now()} }

func shop() *Report {
	day := lastDay()
	return &Report{
		Schema: SchemaVersion, Version: "0.1.0", Generated: now(), Window: day,
		Peak:      &fleet.Window{From: now().Add(-39 * time.Hour), To: now().Add(-38 * time.Hour)},
		Shortened: true, Login: "the server's socket as plimsoll",
		Hosts: []Host{
			{Cluster: "shop", Name: "db1", SeenRatio: 1, Cores: new(8), CPUBusyRatio: new(0.46), PeakCPUBusyRatio: new(0.81)},
			{Cluster: "shop", Name: "db2", SeenRatio: 0.62, Cores: new(8), CPUBusyRatio: new(0.12)},
			{Cluster: "shop", Name: "web1", SeenRatio: 0.998, Cores: new(4), CPUBusyRatio: new(0.31), PeakCPUBusyRatio: new(0.55)},
		},
		Servers: []Server{shopPrimary(), shopReplica(), {
			Cluster: "shop", Host: "db3", Name: "reporting", Role: fleet.Replica, Source: "db1/db1",
			Lag: []Lag{{Unknown: "the replica is stopped", State: map[snapshot.LagState]float64{snapshot.LagSQLDown: 86400}}},
		}},
		Apps:     shopApps(),
		Findings: shopFindings(),
		Gone: []Entry{{
			Finding: rules.Finding{
				Rule: "mysql/unused-index", Title: "An index that no statement used", Severity: rules.Low, Effort: rules.Minutes, Fingerprint: "77aa0c1d2e3f4a5b",
				Subject: rules.Subject{Cluster: "shop", Kind: rules.OfIndex, Schema: "shop", Name: "reviews", Part: "idx_old"},
				Summary: "shop.reviews (idx_old) was not used in 35 days.", Confidence: rules.Confidence{Ratio: 0.8},
				Evidence: []rules.Evidence{{What: "uses", Unit: rules.Count, Source: "table_io_waits_summary_by_index_usage", Window: day}},
			},
			Status: ledger.StatusGone, FirstSeen: now().Add(-20 * 24 * time.Hour), GoneSince: now().Add(-30 * time.Hour),
		}},
		NotReady: []rules.NotReady{
			{
				Rule: "mysql/buffer-pool", Subject: rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db2"},
				Reason: "mysql/status was seen for 14.9 h, and the rule needs 24 h", ReadyAt: now().Add(9 * time.Hour),
			},
			{
				Rule: "mysql/read-split", Subject: rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db2"},
				Reason: "mysql/status was seen for 14.9 h, and the rule needs 24 h", ReadyAt: now().Add(9 * time.Hour),
			},
			{
				Rule: "mysql/replica-lag", Subject: rules.Subject{Cluster: "shop", Kind: rules.OfChannel, Name: "db3", Part: "reporting"},
				Reason: "lag is not known: the replica is stopped", Remedy: "START REPLICA",
			},
		},
		Unreachable: []Unreachable{{Target: "https://web2:9897", Reason: "dial tcp 10.0.0.12:9897: connect: connection refused"}},
		Gaps: []Gap{
			{Host: "db1", Gap: snapshot.Gap{
				Job: "mysql/coverage", Subject: "db1", Reason: "prepared statements are not in this server's digest table",
			}},
			{Host: "db2", Gap: snapshot.Gap{
				Job: "mysql/coverage", Subject: "db2", Reason: "prepared statements are not in this server's digest table",
			}},
			{Host: "db2", Gap: snapshot.Gap{
				Job: "mysql/locks", Subject: "db2", Reason: "the account may not read information_schema.INNODB_TRX",
				Remedy: "GRANT PROCESS ON *.* TO 'plimsoll'@'localhost'",
			}},
		},
		Rules: []Rule{
			{
				ID: "mysql/missing-index", Title: "An index is missing", Threshold: 100, Unit: rules.RowsPerCall,
				ThresholdSource: "default of this rule: a statement that reads a hundred rows for each it returns searches", MinWindowSeconds: 600, WindowSeconds: 86400,
			},
			{
				ID: "mysql/replica-lag", Title: "A replica stands behind its source", Threshold: 1, Unit: rules.Seconds,
				ThresholdSource: "default of this rule: a visitor who reads a second after writing must find what was written", MinWindowSeconds: 600, WindowSeconds: 86400,
			},
		},
	}
}

func shopPrimary() Server {
	return Server{
		Cluster: "shop", Host: "db1", Name: "db1", Role: fleet.Primary, Version: "10.11.14-MariaDB-log", Window: lastDay(),
		LoadSeconds: new(4.31), StatementsPerSecond: new(1840.0), SeenRatio: new(0.71), HiddenRatio: new(0.09), HiddenPreparedPerSecond: new(533.0),
		Digests: []Digest{
			{
				Fingerprint: "fp1:3c9d1f00aa551122", Schema: "shop", ShareRatio: 0.41, CallsPerSecond: 36.2, MeanSeconds: 0.0488, ExaminedPerCall: 48200, SentPerCall: 3.2,
				Text: "SELECT `id`, `status`, `total` FROM `orders` WHERE `customer_id` = ? AND `status` IN (...) ORDER BY `created_at` DESC LIMIT ?",
			},
			{
				Fingerprint: "fp1:81b2e5c3d4f60718", Schema: "shop", ShareRatio: 0.17, CallsPerSecond: 410, MeanSeconds: 0.00179, ExaminedPerCall: 61, SentPerCall: 12,
				Text: "SELECT `e`.`entity_id`, `v`.`value` FROM `product_entity` AS `e` JOIN `product_varchar` AS `v` ON `v`.`entity_id` = `e`.`entity_id` WHERE `e`.`entity_id` IN (...) AND `v`.`attribute_id` = ? AND `v`.`store_id` = ?",
			},
			{Fingerprint: "fp1:0a1b2c3d4e5f6071", Schema: "shop", ShareRatio: 0.11, CallsPerSecond: 52, MeanSeconds: 0.0091, ExaminedPerCall: 1, SentPerCall: 0, Text: "UPDATE `stock` SET `quantity` = `quantity` - ? WHERE `product_id` = ?"},
			{Fingerprint: "fp1:5566778899aabbcc", Schema: "shop", ShareRatio: 0.07, CallsPerSecond: 10, MeanSeconds: 0.030, ExaminedPerCall: 9100, SentPerCall: 0.1, Text: "SELECT * FROM `jobs` WHERE `state` = ? ORDER BY `id` LIMIT ? FOR UPDATE"},
			{Fingerprint: "fp1:deadbeef00112233", Schema: "shop", ShareRatio: 0.05, CallsPerSecond: 640, MeanSeconds: 0.00034, ExaminedPerCall: 1, SentPerCall: 1, Text: "SELECT `data` FROM `sessions` WHERE `id` = ?"},
			{Fingerprint: "fp1:1111222233334444", Schema: "shop", ShareRatio: 0.03, CallsPerSecond: 640, MeanSeconds: 0.0002, ExaminedPerCall: 1, SentPerCall: 0, Text: "REPLACE INTO `sessions` VALUES (...)"},
			{Fingerprint: "fp1:9999888877776666", ShareRatio: 0.004, CallsPerSecond: 1, MeanSeconds: 0.017, ExaminedPerCall: 900, SentPerCall: 900, Own: true, Text: "SELECT * FROM `performance_schema`.`events_statements_summary_by_digest`"},
		},
	}
}

func shopReplica() Server {
	return Server{
		Cluster: "shop", Host: "db2", Name: "db2", Role: fleet.Replica, Source: "db1/db1", Version: "10.11.14-MariaDB-log",
		Window:      fleet.Window{From: now().Add(-894 * time.Minute), To: now()},
		LoadSeconds: new(1.12), StatementsPerSecond: new(420.0), SeenRatio: new(0.98), HiddenPreparedPerSecond: new(0.0),
		Digests: []Digest{
			{
				Fingerprint: "fp1:81b2e5c3d4f60718", Schema: "shop", ShareRatio: 0.55, CallsPerSecond: 300, MeanSeconds: 0.0021, ExaminedPerCall: 61, SentPerCall: 12,
				Text: "SELECT `e`.`entity_id`, `v`.`value` FROM `product_entity` AS `e` JOIN `product_varchar` AS `v` ON `v`.`entity_id` = `e`.`entity_id` WHERE `e`.`entity_id` IN (...) AND `v`.`attribute_id` = ? AND `v`.`store_id` = ?",
			},
		},
		Lag: []Lag{{
			P50: new(0.08), P99: new(14.2), Max: new(212.0),
			State: map[snapshot.LagState]float64{snapshot.LagOK: 52000, snapshot.LagUnknown: 1640},
		}},
	}
}

func shopFindings() []Entry {
	day := lastDay()
	first := func(f rules.Finding) Entry {
		return Entry{Finding: f, Status: ledger.StatusOpen, FirstSeen: now().Add(-50 * time.Hour), LastSeen: now()}
	}
	acknowledged := first(rules.Finding{
		Rule: "mysql/deadlocks", Title: "Deadlocks", Severity: rules.Low, Fingerprint: "be5702aa9c0d1e2f", Effort: rules.Days,
		Subject: rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db1"}, Summary: "Two statements deadlock on shop.stock 1.4 times a minute.",
		Confidence: rules.Confidence{Ratio: 0.9},
		Evidence:   []rules.Evidence{{What: "deadlocks", Value: 0.023, Unit: rules.PerSecond, Source: "Innodb_deadlocks", Window: day, Threshold: new(1.0 / 60), ThresholdSource: "default of this rule: one a minute"}},
	})
	acknowledged.Status = ledger.StatusAcknowledged
	acknowledged.Ack = &ledger.Ack{
		Fingerprint: "be5702aa9c0d1e2f", Who: "ann", Why: "the retry in checkout hides it; rewritten in April",
		Until: ledger.NewDate(time.Date(2026, 4, 30, 0, 0, 0, 0, time.UTC)),
	}
	unconfirmed := first(hotRow())
	unconfirmed.Missed, unconfirmed.LastSeen = 1, now().Add(-2*time.Hour)
	return []Entry{
		first(rules.Finding{
			Rule: "mysql/failover-readiness", Title: "A replica that could not take over", Severity: rules.High, Fingerprint: "c0ffee1234567890", Effort: rules.Minutes,
			Subject: rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db2"},
			Summary: "db2 keeps 1 h of binary logs, and to rebuild a replica from it takes 3.4 h.",
			Gain:    rules.Gain{RecoveryMinutes: rules.Between(120, 300)}, Confidence: rules.Confidence{Ratio: 0.95},
			Evidence: []rules.Evidence{
				{What: "binary logs kept", Value: 3600, Unit: rules.Seconds, Source: "binlog_expire_logs_seconds", Threshold: new(24480.0), ThresholdSource: "twice the time to copy the data at the disk's own rate"},
				{What: "read_only", Words: "OFF", Unit: rules.Text, Source: "global variable", Window: fleet.Window{From: now(), To: now()}},
			},
			Remedy: []rules.Step{
				{Kind: rules.SQL, Target: "db2", Text: "SET GLOBAL binlog_expire_logs_seconds = 604800;", Note: "Lasts until the server restarts."},
				{Kind: rules.Config, Target: "db2", Text: "[mariadb]\nbinlog_expire_logs_seconds = 604800\nread_only = ON"},
			},
			Rollback: []rules.Step{{Kind: rules.SQL, Target: "db2", Text: "SET GLOBAL binlog_expire_logs_seconds = 3600;"}},
			Risks:    []string{"Seven days of binary logs take 61 GiB of /var/lib/mysql, which has 410 GiB free."},
			Verify:   rules.Verify{What: "@@binlog_expire_logs_seconds on db2", Expect: "604800", After: "the statement"},
		}),
		first(missingIndex()),
		first(rules.Finding{
			Rule: "mysql/replica-lag", Title: "A replica stands behind its source", Severity: rules.Medium, Fingerprint: "41d2aa0b9c8d7e6f", Effort: rules.Hours,
			Subject: rules.Subject{Cluster: "shop", Kind: rules.OfChannel, Name: "db2"},
			Summary: "db2 stands 14.2 s behind its source in one second of a hundred, and 3.53 min at worst.",
			Confidence: rules.Confidence{
				Ratio: 0.6, Reasons: []string{"seen in 14.9 h"},
			},
			Evidence: []rules.Evidence{
				{What: "total lag, 99th percentile of seconds", Value: 14.2, Unit: rules.Seconds, Source: "executed positions of source and replica, each second", Window: day, Threshold: new(1.0), ThresholdSource: "default of this rule: a visitor who reads a second after writing must find what was written"},
				{What: "total lag, largest", Value: 212, Unit: rules.Seconds, Source: "executed positions of source and replica, each second", Window: day},
			},
			Remedy: []rules.Step{
				{Kind: rules.SQL, Target: "db2", Text: "STOP REPLICA SQL_THREAD; SET GLOBAL slave_parallel_threads = 4, GLOBAL slave_parallel_mode = 'optimistic'; START REPLICA SQL_THREAD;", Note: "Lasts until the server restarts."},
				{Kind: rules.Config, Target: "db2", Text: "[mariadb]\nslave_parallel_threads = 4\nslave_parallel_mode = optimistic"},
			},
			Rollback: []rules.Step{{Kind: rules.Advice, Text: "Set the variables back to the values shown as evidence of this report."}},
			Risks:    []string{"Parallel appliers commit in another order on the replica unless commit order is preserved."},
			Verify:   rules.Verify{What: "total lag, 99th percentile", Expect: "below 1 s", After: "one busy hour"},
		}),
		unconfirmed,
		first(rules.Finding{
			Rule: "mysql/long-transaction", Title: "A transaction that stays open", Severity: rules.Medium, Fingerprint: "0f0e0d0c0b0a0908", Effort: rules.Hours,
			Subject: rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db1"}, Summary: "A transaction of user cron stayed open for 47 min, idle for 96 % of it.",
			Confidence: rules.Confidence{Ratio: 0.85},
			Evidence:   []rules.Evidence{{What: "age of the oldest transaction, largest", Value: 2820, Unit: rules.Seconds, Source: "information_schema.INNODB_TRX, trx_started", Window: day, Threshold: new(60.0), ThresholdSource: "default of this rule: no page takes a minute"}},
			Remedy:     []rules.Step{{Kind: rules.Advice, Target: "db1", Text: "Commit in cron's export after each batch, and send its mail after the commit."}},
			Risks:      []string{"What is committed in batches is not undone as one."},
			Verify:     rules.Verify{What: "age of the oldest transaction", Expect: "below 1 min", After: "one night"},
		}),
		first(rules.Finding{
			Rule: "mysql/redundant-index", Title: "An index that another one covers", Severity: rules.Low, Fingerprint: "1234abcd5678ef90", Effort: rules.Minutes,
			Subject: rules.Subject{Cluster: "shop", Kind: rules.OfIndex, Schema: "shop", Name: "order_items", Part: "idx_order"},
			Summary: "idx_order (order_id) is a prefix of idx_order_product (order_id, product_id) and takes 212 MiB.",
			Gain:    rules.Gain{DatabaseSeconds: rules.Between(0, 0.02)}, Confidence: rules.Confidence{Ratio: 0.95},
			Evidence: []rules.Evidence{{What: "size", Value: 212 << 20, Unit: rules.Bytes, Source: "mysql.innodb_index_stats", Window: fleet.Window{From: now(), To: now()}}},
			Remedy:   []rules.Step{{Kind: rules.SQL, Target: "db1", Text: "ALTER TABLE `shop`.`order_items` ALTER INDEX `idx_order` IGNORED;", Note: "Drop it after two weeks without complaint."}},
			Rollback: []rules.Step{{Kind: rules.SQL, Target: "db1", Text: "ALTER TABLE `shop`.`order_items` ALTER INDEX `idx_order` NOT IGNORED;"}},
			Verify:   rules.Verify{What: "mean time of statements on shop.order_items", Expect: "no more than 10 % longer", After: "14 days"},
		}),
		acknowledged,
	}
}

func missingIndex() rules.Finding {
	day := lastDay()
	digests := "performance_schema.events_statements_summary_by_digest"
	return rules.Finding{
		Rule: "mysql/missing-index", Title: "An index is missing", Severity: rules.High, Fingerprint: "3f1c2a9b00c0ffee", Effort: rules.Minutes,
		Subject: rules.Subject{Cluster: "shop", Kind: rules.OfTable, Schema: "shop", Name: "orders", Part: "customer_id, created_at"},
		Summary: "A statement on shop.orders reads 48.2k rows to return 3.2, and takes 41 % of db1's statement time.",
		Gain:    rules.Gain{WorkerSeconds: rules.Between(1.31, 1.72), DatabaseSeconds: rules.Between(1.1, 1.5)},
		Confidence: rules.Confidence{
			Ratio: 0.9, Reasons: []string{"not tried on a scratch server"},
		},
		Evidence: []rules.Evidence{
			{What: "rows examined a call", Value: 48200, Unit: rules.RowsPerCall, Source: digests + ", SUM_ROWS_EXAMINED / COUNT_STAR", Window: day, Threshold: new(100.0), ThresholdSource: "default of this rule: a statement that reads a hundred rows for each it returns searches"},
			{What: "rows returned a call", Value: 3.2, Unit: rules.RowsPerCall, Source: digests + ", SUM_ROWS_SENT / COUNT_STAR", Window: day},
			{What: "share of statement time", Value: 0.41, Unit: rules.Ratio, Source: digests + ", SUM_TIMER_WAIT", Window: day, Threshold: new(0.01), ThresholdSource: "default of this rule: below a hundredth nobody notices"},
			{What: "distinct values of customer_id", Value: 182000, Unit: rules.Count, Source: "mysql.column_stats", Window: fleet.Window{From: now(), To: now()}},
		},
		Remedy: []rules.Step{
			{Kind: rules.SQL, Target: "db1", Text: "ALTER TABLE `shop`.`orders` ADD INDEX `customer_id_created_at` (`customer_id`, `created_at`), ALGORITHM=INPLACE, LOCK=NONE;", Note: "Takes about 40 s and 96 MiB; writes go on."},
		},
		Rollback: []rules.Step{{Kind: rules.SQL, Target: "db1", Text: "ALTER TABLE `shop`.`orders` DROP INDEX `customer_id_created_at`;"}},
		Risks:    []string{"The statement waits for transactions that use the table, and others wait behind it: begin when none is long.", "Each insert into shop.orders writes one entry more."},
		Verify:   rules.Verify{What: "rows examined a call of fp1:3c9d1f00aa551122", Expect: "below 20", After: "10 min"},
		Digests:  []string{"fp1:3c9d1f00aa551122"},
		Waiters: []rules.Waiter{
			{Pool: "www", Method: "GET", Route: "/customer/orders", SecondsPerSecond: 3.1, Code: "OrderList::load in app/code/Sales/OrderList.php"},
			{Pool: "admin", Method: "GET", Route: "/customers/{id}", SecondsPerSecond: 1},
		},
	}
}

func hotRow() rules.Finding {
	return rules.Finding{
		Rule: "mysql/lock-contention", Title: "Waiting for row locks", Severity: rules.Medium, Fingerprint: "a0a1a2a3a4a5a6a7", Effort: rules.Days,
		Subject: rules.Subject{Cluster: "shop", Kind: rules.OfTable, Schema: "shop", Name: "stock"},
		Summary: "Checkouts wait 0.31 s each second for one row of shop.stock, held by a statement of the same kind.",
		Gain:    rules.Gain{WorkerSeconds: rules.Between(0.1, 0.28), Headroom: rules.Between(1.1, 1.4)}, Confidence: rules.Confidence{Ratio: 0.55, Reasons: []string{"seen in 40 samples"}},
		Evidence: []rules.Evidence{{What: "time waited each second", Value: 0.31, Unit: rules.Seconds, Source: "Innodb_row_lock_time", Window: lastDay(), Threshold: new(0.05), ThresholdSource: "default of this rule: one visitor in twenty waits"}},
		Remedy:   []rules.Step{{Kind: rules.Code, Text: "UPDATE stock SET quantity = quantity - 1 WHERE product_id = ?;  -- as the last statement before COMMIT"}},
		Risks:    []string{"Stock can be sold twice if it is read long before."},
		Verify:   rules.Verify{What: "Innodb_row_lock_time", Expect: "half", After: "one busy hour"},
		Waiters:  []rules.Waiter{{Pool: "www", Method: "POST", Route: "/checkout", SecondsPerSecond: 0.2, Code: "Stock::take in app/code/Stock.php"}},
	}
}

func healthy() *Report {
	day := lastDay()
	return &Report{
		Schema: SchemaVersion, Version: "0.1.0", Generated: now().UTC(), Window: day,
		Hosts: []Host{{Cluster: "default", Name: "db1", SeenRatio: 1, Cores: new(4), CPUBusyRatio: new(0.08), PeakCPUBusyRatio: new(0.2)}},
		Servers: []Server{{
			Cluster: "default", Host: "db1", Name: "db1", Role: fleet.Standalone, Version: "9.7.0", Window: day,
			LoadSeconds: new(0.06), StatementsPerSecond: new(210.0), SeenRatio: new(1.0), HiddenPreparedPerSecond: new(0.0),
			Digests: []Digest{{Fingerprint: "fp1:0000000000000001", Schema: "blog", ShareRatio: 0.8, CallsPerSecond: 150, MeanSeconds: 0.0003, ExaminedPerCall: 1, SentPerCall: 1, Text: "SELECT * FROM `posts` WHERE `id` = ?"}},
		}},
		Findings: []Entry{},
		Rules: []Rule{{
			ID: "mysql/replica-lag", Title: "A replica stands behind its source", Threshold: 1, Unit: rules.Seconds,
			ThresholdSource: "default of this rule", MinWindowSeconds: 600, WindowSeconds: 86400,
		}},
	}
}

func nothingYet() *Report {
	return &Report{
		Schema: SchemaVersion, Version: "0.1.0", Generated: now().UTC(), Window: lastDay(), Findings: []Entry{},
		Hosts:   []Host{{Cluster: "shop", Name: "db1"}},
		Servers: []Server{{Cluster: "shop", Host: "db1", Name: "db1", Role: fleet.UnknownRole}},
		Apps:    []rules.App{blindApp()},
		NotReady: []rules.NotReady{{
			Rule: "mysql/missing-index", Subject: rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db1"},
			Reason: "mysql/digests was not seen twice yet", ReadyAt: now().Add(10 * time.Minute),
		}},
	}
}
