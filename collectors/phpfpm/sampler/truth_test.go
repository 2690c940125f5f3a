package sampler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
	"plimsoll/fixtures/shop"
)

// trial is how long a site is watched, on which releases, and what is wanted of that.
type trial struct {
	long     time.Duration
	releases []servers.PHP
	// requests is how many must have been looked at.
	requests    int
	routesRight float64
}

// newTrial is for a machine that other tests use too, unless all is asked for: workers then wait for a processor
// after their answer is sent, where a short request is often met and its parameters are gone.
func newTrial() trial {
	if os.Getenv("PLIMSOLL_FULL") != "" {
		return trial{75 * time.Second, servers.PHPs(), 1000, 0.95}
	}
	return trial{4 * time.Second, []servers.PHP{servers.PHP82}, 20, 0.8}
}

func TestRoutesAndStatementsOfAShopAreWhatItsScriptsSay(t *testing.T) {
	o := newTrial()
	for _, release := range o.releases {
		t.Run(string(release), func(t *testing.T) {
			sins := shop.Set{shop.GetWrites, shop.NPlusOne, shop.RepeatedReads, shop.ExternalCall}
			db := servers.Start(t, servers.MariaDB1011, servers.OpenSocket())
			if err := shop.Load(t.Context(), db.DB(), shop.Small(), sins); err != nil {
				t.Fatal(err)
			}
			site := shop.StartSite(t, shop.SiteOptions{Primary: db, Release: release, Sins: sins, Truth: true})
			logStatements(t, db)
			warm(t, site.URL+"/")
			w := watch(t, site.FPM, []string{shop.ShopPool, shop.AdminPool, shop.APIPool}, func() {
				visit := func(ctx context.Context) error {
					_, err := shop.Visitors{URL: site.URL, Size: shop.Small(), Sins: sins, Count: 6, Think: 40 * time.Millisecond}.Run(ctx)
					return err
				}
				together(t, o.long, visit, askShop(site.URL),
					hinder(db, "shop.product", "shop.stock", "shop.sales_order", "shop.customer", "shop.product_varchar", "shop.product_view"))
			})
			truth, err := site.Requests()
			if err != nil {
				t.Fatal(err)
			}
			w.hold(t, truth, o)
			holdOutput(t, w, truth, db)
		})
	}
}

func TestRoutesAndStatementsOfWordPressAreWhatItSays(t *testing.T) {
	o := newTrial()
	for _, release := range o.releases {
		t.Run(string(release), func(t *testing.T) {
			db := servers.Start(t, servers.MariaDB1011, servers.OpenSocket())
			site := servers.StartWordPress(t, release, db)
			said := tellTruth(t, site)
			logStatements(t, db)
			w := watch(t, site.FPM, []string{servers.WordPressPool}, func() {
				ask := askWordPress(site.URL)
				together(t, o.long, ask, ask, ask, ask, ask,
					hinder(db, "wordpress.wp_posts", "wordpress.wp_options", "wordpress.wp_users", "wordpress.wp_term_taxonomy"))
			})
			truth := said()
			w.hold(t, truth, o)
			holdOutput(t, w, truth, db)
		})
	}
}

// tellTruth has WordPress write down its requests and statements as the shop does, by a plugin that also has
// secrets in its statements, and returns how to read it.
func tellTruth(t testing.TB, site *servers.WordPress) func() []shop.Request {
	t.Helper()
	path := filepath.Join(site.FPM.Dir, "truth.log")
	code, err := os.ReadFile("testdata/truth.php")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(filepath.Join(site.FPM.Root, "wp-config.php"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(path, nil, 0o666), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	site.FPM.Script(t, "wp-content/mu-plugins/truth.php", strings.ReplaceAll(string(code), "@truth", path))
	site.FPM.Script(t, "wp-config.php", strings.Replace(string(settings), "<?php", "<?php define('SAVEQUERIES', true);", 1))
	if err := site.FPM.Reload(t.Context()); err != nil { // Opcache would look at them again later.
		t.Fatal(err)
	}
	warm(t, site.URL+"/")
	return func() (all []shop.Request) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var r shop.Request
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%v: %.300s", err, line)
			}
			r.Route = wordPressRoute(r.URI)
			all = append(all, r)
		}
		return all
	}
}

// wordPressRoute is the template of what the test asks for.
func wordPressRoute(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	switch path = strings.TrimSuffix(path, "/"); {
	case path == "":
		return "/"
	case path == "/2026":
		return "/{id}"
	case strings.HasPrefix(path, "/2026/vase-"):
		return "/{id}/vase-{id}"
	}
	return path
}

// together runs all works for a while.
func together(t testing.TB, long time.Duration, works ...func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var running sync.WaitGroup
	for _, work := range works {
		running.Go(func() {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
}

// hinder locks one table after the other for a moment, so that statements of all kinds wait long enough to be met.
func hinder(db *servers.Server, tables ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := db.DB().Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		for i := 0; ctx.Err() == nil; i++ {
			for _, step := range []string{"LOCK TABLES " + tables[i%len(tables)] + " WRITE", "DO SLEEP(0.04)", "UNLOCK TABLES"} {
				if _, err := conn.ExecContext(ctx, step); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// askShop asks for what has secrets in its query, its body or its statements.
func askShop(site string) func(context.Context) error {
	return askWithSecrets(150*time.Millisecond, site,
		"GET /search?q=N-marked-secret", "POST /cart?product=N&note=marked-secret", "GET /account?token=marked-secret",
		"POST /account/login?customer=N&password=marked-secret")
}

func askWordPress(site string) func(context.Context) error {
	return askWithSecrets(time.Millisecond, site,
		"GET /", "GET /2026/vase-N/", "GET /2026/vase-N/", "GET /?s=marked-secret", "GET /2026/", "GET /feed/", "GET /no-such-page/",
		"GET /wp-json/wp/v2/posts?search=marked-secret", "POST /wp-login.php?log=admin&pwd=marked-secret")
}

// askWithSecrets asks for pages in turns, each after a pause, such as "POST /cart?a=b": what is behind the question
// mark is then the body. N is a number among twenty.
func askWithSecrets(pause time.Duration, site string, pages ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for turn := 0; ctx.Err() == nil; turn++ {
			time.Sleep(pause)
			method, path, _ := strings.Cut(pages[turn%len(pages)], " ")
			path = strings.ReplaceAll(path, "N", fmt.Sprint(1+rand.IntN(20)))
			var body io.Reader
			if method == http.MethodPost {
				page, form, _ := strings.Cut(path, "?")
				path, body = page+"?reference=marked-secret", strings.NewReader(form)
			}
			if err := askWithCookie(ctx, method, site+path, body); err != nil {
				return err
			}
		}
		return nil
	}
}

func askWithCookie(ctx context.Context, method, address string, body io.Reader) error {
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", "PHPSESSID=markedsecretcookie; card="+url.QueryEscape("marked-secret 4111"))
	r.Header.Set("Authorization", "Bearer marked-secret")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s %s: %s", method, address, answer.Status)
	}
	return err
}

// warm has the workers compile what they run.
func warm(t testing.TB, page string) {
	t.Helper()
	for range 4 {
		if err := askWithCookie(t.Context(), http.MethodGet, page, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// logStatements has the server write down each statement.
func logStatements(t testing.TB, db *servers.Server) {
	t.Helper()
	if err := db.ExecContext(t.Context(), "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON"); err != nil {
		t.Fatal(err)
	}
}

// holdOutput wants only routes that were asked for, statements that the server got, and no secret.
func holdOutput(t testing.TB, w *witness, truth []shop.Request, db *servers.Server) {
	t.Helper()
	asked := map[string]bool{unknownRoute: true, "": true}
	for _, r := range truth {
		asked[r.Route] = true
	}
	got := serverStatements(t, db)
	p := w.Profile()
	for _, server := range w.servers {
		pool := poolOf(t, p, server)
		for _, r := range pool.Routes {
			if !asked[r.Route] {
				t.Errorf("nobody asked for %s %s", r.Method, r.Route)
			}
		}
		for _, r := range pool.Rows {
			if r.Fingerprint != "" && !got[r.Fingerprint] {
				t.Errorf("the server has not got the statement of %+v", r.ProfileKey)
			}
		}
	}
	holdNoSecrets(t, p)
}

// serverStatements returns the fingerprints of what the server wrote down.
func serverStatements(t testing.TB, db *servers.Server) map[string]bool {
	t.Helper()
	rows, err := db.DB().QueryContext(t.Context(), "SELECT DISTINCT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]bool{}
	secrets := 0
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		got[sqltext.Fingerprint(text)] = true
		if strings.Contains(text, "marked-secret") {
			secrets++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if secrets == 0 {
		t.Error("no secret was in a statement: nothing was tried")
	}
	return got
}
