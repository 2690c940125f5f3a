package report

import (
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
)

// spent is what workers are with, with a margin where it is not zero.
func spent(on rules.Spending, workers, margin float64) rules.Spent {
	return rules.Spent{On: on, Workers: workers, Margin: &margin}
}

// routed is spent of a route of which a probe tells no margin.
func routed(on rules.Spending, workers float64) rules.Spent {
	return rules.Spent{On: on, Workers: workers}
}

// shopApps are a shop that waits for its database, with a host without a probe, and an administration that
// has nothing to do.
func shopApps() []rules.App {
	return []rules.App{
		{
			Cluster: "shop", Name: "www",
			Pools: []rules.AppPool{shopPool("web1", 7.31, 0.04), shopPool("web2", 6.3, 0), {
				Host: "web3", Listen: "/run/php/www.sock", Version: "8.2", MaxWorkers: new(20), RunningWorkers: new(2.4), RequestsPerSecond: new(14.8),
				Queue: new(0), PeakQueue: new(2.0),
			}},
			Time: &rules.AppTime{
				Window: lastDay(), Bound: rules.ByDatabase, BoundRatio: 0.5202, BusyWorkers: 13.61, MaxWorkers: new(40), RequestsPerSecond: 30,
				Spent: []rules.Spent{
					spent(rules.OnCPU, 3.92, 0), spent(rules.OnDatabase, 7.08, 0.05), spent(rules.OnCaches, 0.84, 0.02),
					spent(rules.OnLocks, 0.61, 0.09), spent(rules.OnServices, 0.66, 0.07), spent(rules.OnRest, 0.1, 0.03), spent(rules.OnUnknown, 0.4, 0.02),
				},
				Peers: []rules.AppPeer{
					{State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", Spent: spent(rules.OnDatabase, 6.4, 0.05)},
					{State: snapshot.PHPRedis, Peer: "10.0.0.9:6379", Spent: spent(rules.OnCaches, 0.84, 0.02)},
					{State: snapshot.PHPMySQL, Peer: "/run/mysqld/mysqld.sock", Spent: spent(rules.OnDatabase, 0.68, 0.02)},
					{State: snapshot.PHPHTTP, Peer: "203.0.113.7:443", Spent: spent(rules.OnServices, 0.66, 0.07)},
				},
				Routes: shopRoutes(),
			},
			Blind: []rules.AppBlind{{
				Hosts: []string{"web3"}, Reason: "where the time of PHP's workers goes is not known: plimsoll-probe is not installed",
				Remedy: "install the package plimsoll-probe (docs/privileges.md says what it may do)",
			}},
		},
		{
			Cluster: "shop", Name: "admin",
			Pools: []rules.AppPool{{
				Host: "web1", Listen: "/run/php/admin.sock", Version: "8.2", MaxWorkers: new(5), BusyWorkers: new(0.21), RequestsPerSecond: new(0.05),
				RunningWorkers: new(0.02), SaturatedRatio: new(0.0), Spent: []rules.Spent{spent(rules.OnCPU, 0.02, 0), spent(rules.OnDatabase, 0.19, 0.01)},
			}},
			Time: &rules.AppTime{
				Window: lastDay(), Bound: rules.Healthy, BoundRatio: 0.905, BusyWorkers: 0.21, MaxWorkers: new(5), RequestsPerSecond: 0.05,
				Spent: []rules.Spent{spent(rules.OnCPU, 0.02, 0), spent(rules.OnDatabase, 0.19, 0.01)},
			},
		},
	}
}

// shopPool is a pool of which so many workers are busy on average, and none free for a share of the time.
func shopPool(host string, busy, full float64) rules.AppPool {
	part := func(on rules.Spending, ratio float64) rules.Spent { return spent(on, ratio*busy, 0.003*busy) }
	return rules.AppPool{
		Host: host, Listen: "/run/php/www.sock", Version: "8.2", MaxWorkers: new(20), BusyWorkers: &busy, RunningWorkers: new(0.288 * busy),
		RequestsPerSecond: new(15.0), Queue: new(0), PeakQueue: new(100 * full), SaturatedRatio: &full,
		Spent: []rules.Spent{
			part(rules.OnCPU, 0.288), part(rules.OnDatabase, 0.52), part(rules.OnCaches, 0.062),
			part(rules.OnLocks, 0.045), part(rules.OnServices, 0.049), part(rules.OnRest, 0.007), part(rules.OnUnknown, 0.029),
		},
	}
}

func shopRoutes() []rules.AppRoute {
	return []rules.AppRoute{
		{
			Method: "GET", Route: "/customer/orders", RequestsPerSecond: 3.1, MeanSeconds: new(1.426), Workers: 4.42, Margin: new(0.0),
			Spent: []rules.Spent{spent(rules.OnCPU, 0.5, 0), spent(rules.OnDatabase, 3.8, 0.07), spent(rules.OnUnknown, 0.12, 0.04)},
			Statements: []rules.AppStatement{
				{
					Fingerprint: "fp1:3c9d1f00aa551122", Workers: 3.1, Margin: new(0.09), ShareRatio: 0.7014, Code: "OrderList::load in app/code/Sales/OrderList.php",
					Text:     "SELECT `id`, `status`, `total` FROM `orders` WHERE `customer_id` = ? AND `status` IN (...) ORDER BY `created_at` DESC LIMIT ?",
					Findings: []string{"3f1c2a9b00c0ffee"},
				},
				{Fingerprint: "fp1:deadbeef00112233", Workers: 0.2, Margin: new(0.041), ShareRatio: 0.0452, Text: "SELECT `data` FROM `sessions` WHERE `id` = ?"},
			},
		},
		{
			Method: "GET", Route: "/category/{slug}", RequestsPerSecond: 18, MeanSeconds: new(0.21), Workers: 3.78, Margin: new(0.2542),
			Spent: []rules.Spent{spent(rules.OnCPU, 1.6, 0.11), spent(rules.OnDatabase, 1.5, 0.12), spent(rules.OnCaches, 0.68, 0.05)},
			Statements: []rules.AppStatement{{
				Fingerprint: "fp1:81b2e5c3d4f60718", Workers: 1.44, Margin: new(0.12), ShareRatio: 0.381, Code: "ProductCollection::price in vendor/shop/catalog/ProductCollection.php",
				Text: "SELECT `e`.`entity_id`, `v`.`value` FROM `product_entity` AS `e` JOIN `product_varchar` AS `v` ON `v`.`entity_id` = `e`.`entity_id` WHERE `e`.`entity_id` IN (...)",
			}},
		},
		{
			Method: "POST", Route: "/checkout", RequestsPerSecond: 0.3, MeanSeconds: new(3.2), Workers: 0.96, Margin: new(0.001),
			Spent: []rules.Spent{spent(rules.OnCPU, 0.1, 0), spent(rules.OnDatabase, 0.2, 0.03), spent(rules.OnServices, 0.66, 0.05)},
			Statements: []rules.AppStatement{{
				Fingerprint: "fp1:0a1b2c3d4e5f6071", Workers: 0.2, Margin: new(0.03), ShareRatio: 0.2083, Code: "Stock::take in app/code/Stock.php",
				Text: "UPDATE `stock` SET `quantity` = `quantity` - ? WHERE `product_id` = ?", Findings: []string{"a0a1a2a3a4a5a6a7"},
			}},
		},
		{
			Method: "GET", Route: "/status", Workers: 0.01,
			Spent: []rules.Spent{routed(rules.OnCPU, 0.01)},
		},
	}
}

// blindApp is a pool on a host without a probe.
func blindApp() rules.App {
	return rules.App{
		Cluster: "shop", Name: "www",
		Pools: []rules.AppPool{{Host: "web1", Listen: "/run/php/www.sock", MaxWorkers: new(20)}},
		Blind: []rules.AppBlind{{
			Hosts: []string{"web1"}, Reason: "where the time of PHP's workers goes is not known: plimsoll-probe is not installed",
			Remedy: "install the package plimsoll-probe (docs/privileges.md says what it may do)",
		}},
	}
}
