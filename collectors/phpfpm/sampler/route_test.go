package sampler

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestRoutesAreURLsWithoutWhatVaries(t *testing.T) {
	for uri, want := range map[string]string{
		"":                                  "/",
		"/":                                 "/",
		"/?session=secret":                  "/",
		"/product/4711?ref=mail#top":        "/product/{id}",
		"/product/shirt-7":                  "/product/shirt-{id}",
		"/product/blue-cotton-shirt-7":      "/product/{id}",
		"/catalog/category/view/s/x/id/12/": "/catalog/category/view/s/x/id/{id}",
		"/2026/11/20/hello":                 "/{id}/{id}/{id}/hello",
		"/api/v1/orders":                    "/api/v1/orders",
		"/oauth2/token":                     "/oauth2/token",
		"/page12":                           "/page12",
		"/p123":                             "/p{id}",
		"/order/3f2504e0-4f89-11d3-9a0c-0305e82c3301": "/order/{id}",
		"/reset/deadbeef01":                           "/reset/{id}",
		"/reset/aB3xK9mQ2zL7pW4":                      "/reset/{id}",
		"/user/ann@example.com":                       "/user/{id}",
		"/suche/m%C3%B6bel":                           "/suche/{id}",
		"/a;jsessionid=1234/b":                        "/a",
		"/filter/color=red":                           "/filter/color={id}",
		"/wp-content/uploads/2026/a-12.jpg":           "/wp-content/uploads/{id}/a-{id}.jpg",
		"/product/4711.html":                          "/product/{id}.html",
		"/index.php":                                  "/index.php",
		"//a///b/../c":                                "/a/c",
		"http://shop.example/cart":                    "/cart",
		"/\x00\x1b[31m":                               "/{id}",
		"/a/b/c/d/e/f/g/h/i/j":                        "/a/b/c/d/e/f/g/h/…",
		"/" + strings.Repeat("x", 100):                "/{id}",
	} {
		if got := new(routes).template(uri); got != want {
			t.Errorf("template(%q) = %q, want %q", uri, got, want)
		}
	}
}

func TestAFolderWithManyNamesIsAListOfThings(t *testing.T) {
	var r routes
	last := ""
	for i := range 200 {
		name := strings.Map(func(c rune) rune { return 'a' + c - '0' }, fmt.Sprint(i))
		last = r.template("/product/" + name + ".html")
	}
	if last != "/product/{id}.html" {
		t.Errorf("the last of 200 products has the route %q, want /product/{id}.html", last)
	}
	if got := r.template("/cart"); got != "/cart" {
		t.Errorf("another folder has the route %q, want /cart", got)
	}
}

func FuzzRoutesAreShortAndPrintable(f *testing.F) {
	f.Add("/product/4711?x=1")
	f.Add("/\xff\xfe/%00/{id}/…")
	f.Fuzz(func(t *testing.T, uri string) {
		route := new(routes).template(uri)
		if len(route) > 1000 || !utf8.ValidString(route) || strings.IndexFunc(route, unicode.IsControl) >= 0 || route[0] != '/' {
			t.Errorf("template(%q) = %q", uri, route)
		}
		if shown := printable(uri, 20); len(shown) > 20+len("…") || !utf8.ValidString(shown) {
			t.Errorf("printable(%q) = %q", uri, shown)
		}
	})
}

func TestPackagesAreToldByWhereTheyLie(t *testing.T) {
	for file, want := range map[string]string{
		"/srv/wp-content/plugins/woocommerce/includes/a.php":        "plugin/woocommerce",
		"/srv/wp-content/plugins/hello.php":                         "plugin/hello",
		"/srv/wp-content/plugins/woo/vendor/acme/x/a.php":           "plugin/woo",
		"/srv/wp-content/mu-plugins/host.php":                       "plugin/host",
		"/srv/wp-content/themes/storefront/header.php":              "theme/storefront",
		"/srv/magento/app/code/Acme/Checkout/Model/A.php":           "module/Acme_Checkout",
		"/srv/magento/app/code/community/Acme/Checkout/Model/A.php": "module/Acme_Checkout",
		"/srv/magento/vendor/magento/module-catalog/Model/A.php":    "vendor/magento/module-catalog",
		"/srv/web/modules/contrib/views/src/A.php":                  "module/views",
		"/srv/web/modules/custom/shop/src/A.php":                    "module/shop",
		"/srv/prestashop/modules/ps_cart/a.php":                     "module/ps_cart",
		"/srv/app/src/Controller/A.php":                             "",
		"/srv/vendor/autoload.php":                                  "",
		"":                                                          "",
	} {
		if got := packageOf(file); got != want {
			t.Errorf("packageOf(%q) = %q, want %q", file, got, want)
		}
	}
}

func TestTheSiteOfACallIsTheNearestCodeThatIsNoLibrarys(t *testing.T) {
	frames := []frame{
		{function: "mysqli_query"},
		{function: "wpdb::_do_query", file: "/srv/wp-includes/class-wpdb.php", line: 10},
		{function: "get_posts", file: "/srv/wp-includes/post.php", line: 20},
		{function: "popular_products", file: "/srv/wp-content/plugins/popular/popular.php", line: 30},
		{function: "{main}", file: "/srv/index.php", line: 40},
	}
	own, ok := ownFrame(frames)
	if !ok || own.line != 30 {
		t.Errorf("ownFrame = %+v, %v, want that of the plugin", own, ok)
	}
	if own, ok := ownFrame(frames[:3]); !ok || own.line != 10 {
		t.Errorf("ownFrame = %+v, %v, want the nearest of the library", own, ok)
	}
	if _, ok := ownFrame(frames[:1]); ok {
		t.Error("there is a place without any code")
	}
}
