package rules

import (
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// waitsAt adds a row to a pool's profile, and the time to the pool's state and its route.
func waitsAt(key snapshot.ProfileKey, workers float64, change ...func(*snapshot.ProfileRow)) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		r := snapshot.ProfileRow{
			ProfileKey: key, Line: 7, Samples: uint64(dayOf(workers) * 20),
			StateTime: snapshot.StateTime{Seconds: dayOf(workers), Variance: dayOf(0.01), Waits: 5000},
		}
		for _, c := range change {
			c(&r)
		}
		p.Workers.Rows = append(p.Workers.Rows, r)
		spends(key.State, p.Workers.States[key.State].Seconds/daySeconds+workers)(p)
		for i := range p.Workers.Routes {
			if o := &p.Workers.Routes[i]; o.Method == key.Method && o.Route == key.Route {
				o.Seconds[key.State] += dayOf(workers)
				return
			}
		}
		p.Workers.Routes = append(p.Workers.Routes, route(key.Method, key.Route, 2, map[snapshot.PHPState]float64{key.State: workers}))
	}
}

// means adds what a fingerprint stands for.
func means(t snapshot.DigestText) func(*fleet.Pool) {
	return func(p *fleet.Pool) { p.Workers.Texts[t.Fingerprint] = t }
}

// busyShare is so many workers as are a share of the busy ones once they are added to the six of a web site.
func busyShare(share float64) float64 { return 6 * share / (1 - share) }

func needsAProbe(t *testing.T, r Rule) {
	t.Helper()
	notReady(t, web(www(noProbeThere)), r, NotReady{Subject: about("www"), Reason: noProbe, Remedy: installProbe})
	f := web(www(profiledFor(20 * time.Second)))
	notReady(t, f, r, NotReady{
		Subject: about("www"), Reason: "phpfpm/profile was seen for 20 s, and the rule needs 45 s",
		ReadyAt: f.Pools[0].Workers.Window.From.Add(aMinute),
	})
}

// Session locks.

func lockedSession(workers float64) func(*fleet.Pool) {
	return waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/account/ajax/{id}", State: snapshot.PHPLock, Peer: "/var/lib/php/sessions", Call: "session_start",
		Code: "Session::open", File: "app/Session.php",
	}, workers)
}

func TestRequestsThatWaitForASessionAreFound(t *testing.T) {
	asReviewed(t, "session-lock", found(t, web(www(lockedSession(2))), sessionLock()))
}

func TestASessionHandlerThatSpinsIsALock(t *testing.T) {
	spin := waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/customer/section/load", State: snapshot.PHPSleep, Call: "usleep",
		Via: `Cm\RedisSession\Handler::read`, Code: "Session::start", File: "app/code/Session.php",
	}, 2)
	asReviewed(t, "session-lock-redis", found(t, web(www(spin)), sessionLock()))
}

func TestOtherLocksAndSleepAreNoSession(t *testing.T) {
	flock := waitsAt(snapshot.ProfileKey{Method: "GET", Route: "/", State: snapshot.PHPLock, Call: "flock", Code: "Cache::write"}, 2)
	quiet(t, web(www(flock)), sessionLock())
	quiet(t, web(), sessionLock())
}

func TestSessionLocksNeedAProbe(t *testing.T) { needsAProbe(t, sessionLock()) }

func TestAHundredthOfTheTimeInSessionLocksIsTooMuch(t *testing.T) {
	boundary(t, sessionLock(), func(share float64) *fleet.Fleet { return web(www(lockedSession(busyShare(share)))) })
}

// GET requests that write.

func countsViews(waits uint64) func(*fleet.Pool) {
	return waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/product/{id}", State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", Call: "mysqli::query",
		Code: "stats_update", File: "wp-content/plugins/stats/stats.php", Package: "plugin/stats", Fingerprint: "fp1:00000000000000ff",
	}, 0.3, func(r *snapshot.ProfileRow) { r.Waits = waits })
}

func viewCounter(class string, writes ...string) func(*fleet.Pool) {
	return means(snapshot.DigestText{
		Fingerprint: "fp1:00000000000000ff", Class: class, Writes: writes, Text: "UPDATE product_views SET views = views + ? WHERE product_id = ?",
	})
}

func TestAGetThatWritesIsFound(t *testing.T) {
	asReviewed(t, "get-writes", found(t, web(www(countsViews(5000)), www(viewCounter("dml", "product_views"))), getWrites()))
}

func TestWhatRunsJobsMayWrite(t *testing.T) {
	job := waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/wp-cron.php", State: snapshot.PHPMySQL, Code: "send_mail", Fingerprint: "fp1:00000000000000ff",
	}, 0.3)
	quiet(t, web(www(job), www(viewCounter("dml", "job"))), getWrites())
}

func TestAPostMayWrite(t *testing.T) { quiet(t, web(), getWrites()) }

func TestAGetThatReadsIsFine(t *testing.T) {
	quiet(t, web(www(countsViews(5000)), www(viewCounter("select"))), getWrites())
}

func TestGetWritesNeedAProbe(t *testing.T) { needsAProbe(t, getWrites()) }

func TestTenWritesThatWereSeenAreNoChance(t *testing.T) {
	boundary(t, getWrites(), func(waits float64) *fleet.Fleet {
		return web(www(countsViews(uint64(waits))), www(viewCounter("dml", "product_views")))
	})
}

// N+1.

// perRequest lets the product page send its statement so often a request.
func perRequest(calls float64) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) {
		f.Servers[0].Digests.Rows[0].Calls = uint64(dayOf(20 * calls))
		f.Servers[1].Digests.Rows[0].Calls = 0
	}
}

func TestAStatementThatAPageSendsForEachEntryIsFound(t *testing.T) {
	asReviewed(t, "n-plus-one", found(t, web(perRequest(48)), nPlusOne()))
}

func TestAFewCallsARequestAreNoFinding(t *testing.T) { quiet(t, web(perRequest(5)), nPlusOne()) }

func TestCallsOfOtherRoutesAreNotCounted(t *testing.T) {
	elsewhere := waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/search", State: snapshot.PHPMySQL, Call: "PDOStatement::execute", Code: "Search::run", Fingerprint: "fp1:0000000000000001",
	}, 13.5)
	f := web(perRequest(48), www(elsewhere))
	f.Pools[0].Workers.Routes[len(f.Pools[0].Workers.Routes)-1].Requests = uint64(dayOf(100))
	quiet(t, f, nPlusOne())
}

func TestCallsOfOtherProgramsAreNotCounted(t *testing.T) {
	f := web(perRequest(48), func(f *fleet.Fleet) {
		f.Servers[0].Digests.Rows[0].Seconds = dayOf(20) // of which the page waits for 1.5 at most
	})
	quiet(t, f, nPlusOne())
}

func TestAFewLooksTellNoCalls(t *testing.T) {
	quiet(t, web(perRequest(48), www(func(p *fleet.Pool) { p.Workers.Rows[0].Samples = 9 })), nPlusOne())
}

func TestWhatIsReadWithTheSameValuesIsNoList(t *testing.T) {
	same := Judge(web(perRequest(48), www(repeats(400, 360))), []Rule{nPlusOne(), repeatedReads()})
	if len(same.Findings) != 1 || same.Findings[0].Rule != "phpfpm/repeated-reads" {
		t.Errorf("findings = %+v, want that it is read again and again, and no list", same.Findings)
	}
}

// notReads are statements that no list and no variable spares.
func notReads() []snapshot.DigestText {
	return []snapshot.DigestText{
		{Class: "transaction", Text: "COMMIT"},
		{Class: "transaction", Text: "START TRANSACTION"},
		{Class: "other", Text: "SET NAMES ?"},
		{Class: "locking_select", Reads: []string{"stock"}, Text: "SELECT qty FROM stock WHERE product_id = ? FOR UPDATE"},
		{Class: "select", Text: "SELECT LAST_INSERT_ID ( )"},
		{Class: "dml", Writes: []string{"log"}, Text: "INSERT INTO log VALUES (...)"},
		{Class: "call", Text: "CALL p ( )"},
		{}, // a text that is not known
	}
}

func TestWhatReadsNoTableIsNoListAndNoRepeatedRead(t *testing.T) {
	for _, text := range notReads() {
		text.Fingerprint = "fp1:0000000000000001"
		quiet(t, web(perRequest(48), www(means(text))), nPlusOne())
		quiet(t, web(www(repeats(400, 400)), www(means(text))), repeatedReads())
	}
}

func TestNPlusOneNeedsAProbe(t *testing.T) { needsAProbe(t, nPlusOne()) }

func TestNPlusOneNeedsTheCallsOfStatements(t *testing.T) {
	f := web(func(f *fleet.Fleet) {
		for _, s := range f.Servers {
			s.Digests = nil
		}
	})
	notReady(t, f, nPlusOne(), NotReady{
		Subject: about("www"), Reason: "how often statements are called is not known: no database server of the site was seen twice",
	})
}

func TestTwentyCallsARequestAreMany(t *testing.T) {
	boundary(t, nPlusOne(), func(calls float64) *fleet.Fleet { return web(perRequest(calls)) })
}

// Repeated reads.

func repeats(n, identical uint64) func(*fleet.Pool) {
	return func(p *fleet.Pool) { p.Workers.Rows[0].Repeats, p.Workers.Rows[0].Identical = n, identical }
}

func TestAReadThatIsRepeatedIsFound(t *testing.T) {
	asReviewed(t, "repeated-reads", found(t, web(www(repeats(400, 360))), repeatedReads()))
}

func TestReadsOfDifferentValuesAreNoRepetition(t *testing.T) {
	quiet(t, web(www(repeats(400, 20))), repeatedReads())
}

func TestAFewRepetitionsMayBeChance(t *testing.T) {
	quiet(t, web(www(repeats(29, 29))), repeatedReads())
}

func TestRepeatedReadsNeedAProbe(t *testing.T) { needsAProbe(t, repeatedReads()) }

func TestHalfOfTheRepetitionsAreTooMany(t *testing.T) {
	boundary(t, repeatedReads(), func(share float64) *fleet.Fleet {
		return web(www(repeats(10_000, uint64(10_000*share+0.5))))
	})
}

// Calls of other services.

func paid(workers float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		for _, o := range p.Workers.Routes {
			delete(o.Seconds, snapshot.PHPHTTP)
		}
		spends(snapshot.PHPHTTP, 0)(p)
		waitsAt(snapshot.ProfileKey{
			Method: "POST", Route: "/checkout", State: snapshot.PHPHTTP, Peer: "203.0.113.9:443", Call: "curl_exec",
			Code: "Payment::authorize", File: "app/Payment.php",
		}, workers)(p)
	}
}

func TestAVisitorThatWaitsForAnotherServiceIsFound(t *testing.T) {
	asReviewed(t, "external-calls", found(t, web(www(paid(0.8))), externalCalls()))
}

func TestARareCallIsNoFinding(t *testing.T) { quiet(t, web(www(paid(0.01))), externalCalls()) }

func TestAHandfulOfLooksIsNoShareOfTheTime(t *testing.T) {
	few := func(p *fleet.Pool) {
		for i := range p.Workers.Rows {
			p.Workers.Rows[i].Samples = 9
		}
	}
	quiet(t, web(www(paid(0.8)), www(few)), externalCalls())
	quiet(t, web(www(lockedSession(2)), www(few)), sessionLock())
	quiet(t, web(www(slowPage(0.7)), www(few)), slowPlugin())
}

func TestTheStartOfJobsIsNoOtherService(t *testing.T) {
	spawn := waitsAt(snapshot.ProfileKey{
		Method: "GET", Route: "/product/{id}", State: snapshot.PHPHTTP, Peer: "127.0.0.1:80", Call: "curl_exec", Code: "spawn_cron", File: "app/cron.php",
	}, 0.5)
	quiet(t, web(www(paid(0)), www(spawn)), externalCalls())
	f := found(t, web(www(spawn), www(served("GET", "/wp-cron.php", 0.05))), webCron())
	if last := f.Evidence[len(f.Evidence)-1]; last.What != "requests that wait until jobs have started" || last.Value < 0.05 {
		t.Errorf("evidence = %+v, want that requests wait for the start", last)
	}
}

func TestExternalCallsNeedAProbe(t *testing.T) { needsAProbe(t, externalCalls()) }

func TestAHundredthInOtherServicesIsTooMuch(t *testing.T) {
	boundary(t, externalCalls(), func(share float64) *fleet.Fleet { return web(www(paid(5.2 * share / (1 - share) * (1 + 1e-9)))) })
}

// Files, and jobs.

func served(method, path string, workers float64) func(*fleet.Pool) {
	return waitsAt(snapshot.ProfileKey{Method: method, Route: path, State: snapshot.PHPCPU, Code: "main"}, workers)
}

func TestFilesThatPHPServesAreFound(t *testing.T) {
	asReviewed(t, "static-files", found(t, web(www(served("GET", "/media/cache/{id}.jpg", 1))), staticFiles()))
}

func TestPagesMapsOfASiteAndUploadsAreNoFiles(t *testing.T) {
	quiet(t, web(www(served("GET", "/sitemap.xml", 1)), www(served("GET", "/robots.txt", 1)), www(served("POST", "/upload/{id}.jpg", 1))), staticFiles())
}

func TestStaticFilesNeedAProbe(t *testing.T) { needsAProbe(t, staticFiles()) }

func TestAHundredthForFilesIsTooMuch(t *testing.T) {
	boundary(t, staticFiles(), func(share float64) *fleet.Fleet { return web(www(served("GET", "/app.css", busyShare(share)))) })
}

func TestJobsInVisitorsRequestsAreFound(t *testing.T) {
	asReviewed(t, "web-cron", found(t, web(www(served("POST", "/wp-cron.php", 1))), webCron()))
	f := found(t, web(www(served("GET", "/cron/{id}", 1))), webCron())
	if got := steps(f.Remedy, Command); len(got) != 1 {
		t.Errorf("commands = %q, want Drupal's", got)
	}
}

func TestASiteWithoutWebCronIsQuiet(t *testing.T) {
	quiet(t, web(www(served("GET", "/cronologia", 1))), webCron())
}

func TestWebCronNeedsAProbe(t *testing.T) { needsAProbe(t, webCron()) }

func TestAHundredthForJobsIsTooMuch(t *testing.T) {
	boundary(t, webCron(), func(share float64) *fleet.Fleet { return web(www(served("POST", "/wp-cron.php", busyShare(share)))) })
}

// Slow pages.

// slowPage adds a page that takes a second, so much of it in a package.
func slowPage(share float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		waitsAt(snapshot.ProfileKey{
			Method: "GET", Route: "/shop/{id}", State: snapshot.PHPMySQL, Call: "mysqli::query", Code: "Related::query",
			File: "wp-content/plugins/related/related.php", Package: "plugin/related", Fingerprint: "fp1:00000000000000aa",
		}, 2*share)(p)
		waitsAt(snapshot.ProfileKey{Method: "GET", Route: "/shop/{id}", State: snapshot.PHPCPU, Code: "render"}, 2-2*share)(p)
	}
}

func TestAPageThatOnePackageMakesSlowIsFound(t *testing.T) {
	asReviewed(t, "slow-plugin", found(t, web(www(slowPage(0.7))), slowPlugin()))
}

func TestAFastPageIsNoFindingWhateverItDoes(t *testing.T) {
	fast := func(p *fleet.Pool) { p.Workers.Routes[len(p.Workers.Routes)-1].Requests = uint64(dayOf(20)) }
	quiet(t, web(www(slowPage(0.7)), www(fast)), slowPlugin())
	quiet(t, web(), slowPlugin())
}

func TestSlowPagesNeedAProbe(t *testing.T) { needsAProbe(t, slowPlugin()) }

func TestTwoFifthsOfAPageAreTooMuch(t *testing.T) {
	boundary(t, slowPlugin(), func(share float64) *fleet.Fleet { return web(www(slowPage(share))) })
}
