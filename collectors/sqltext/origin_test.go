package sqltext

import (
	"strings"
	"testing"
)

func TestCommentsTellWhereAStatementComesFrom(t *testing.T) {
	for _, test := range []struct {
		sql  string
		want Origin
	}{
		{
			"SELECT 1 /*action='index',controller='posts',db_driver='pdo_mysql',framework='laravel',route='%2Fposts%2F%7Bid%7D',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/",
			Origin{Framework: "laravel", Driver: "pdo_mysql", Controller: "posts", Action: "index", Route: "/posts/{id}"},
		},
		{
			"/* application:Shop,controller:cart,action:add,job:SendMail,pid:4711 */ UPDATE t SET a = 1",
			Origin{Application: "Shop", Controller: "cart", Action: "add", Job: "SendMail"},
		},
		{"/* app=shop */ SELECT 1 /* service=other, route=/a */", Origin{Application: "shop", Route: "/a"}},
		{`SELECT 1 /*controller='App%5CHttp%5CControllers%5CV1%5COrderController%40show'*/`, Origin{Controller: `App\Http\Controllers\V1\OrderController@show`}},
		{"SELECT '/* route:/a */' FROM t", Origin{}},
		{"SELECT 1 -- route:/a", Origin{}},
		{"SELECT /*+ route:a */ 1 /*! route:b */", Origin{}},
		{"SELECT 1 /* the first route */", Origin{}},
		{"SELECT 1 /*route=", Origin{}},
		{"", Origin{}},
	} {
		if got := OriginOf(test.sql); got != test.want {
			t.Errorf("OriginOf(%q) = %+v, want %+v", test.sql, got, test.want)
		}
	}
}

func TestAnOriginKeepsNamesAndNothingElse(t *testing.T) {
	for value, want := range map[string]string{
		"/cart/4711":                     "/cart/?",
		"/cart/add?token=SeCrEt":         "/cart/add",
		"/reset/65f0c3a1b2c3d4":          "/reset/?",
		"/v2/oauth2/{provider}":          "/v2/oauth2/{provider}",
		"/user/J%C3%BCrgen":              "/user/?",
		"/name/a%20b":                    "/name/?",
		"/x%00%0a":                       "/?",
		"%3Cscript%3E":                   "?",
		"/a/" + strings.Repeat("a", 41):  "/a/?",
		"/" + strings.Repeat("abc/", 40): "?",
		"%zz":                            "?",
		"''":                             "",
	} {
		if got := OriginOf("SELECT 1 /*route='" + value + "'*/").Route; got != want {
			t.Errorf("the route %q became %q, want %q", value, got, want)
		}
	}
}

func TestAnOriginIsNoPartOfTheIdentity(t *testing.T) {
	plain := Parse("SELECT a FROM t WHERE b = 1")
	tagged := Parse("SELECT a FROM t WHERE b = 1 /*route='/cart'*/")
	if tagged.Fingerprint != plain.Fingerprint || tagged.Text != plain.Text || strings.Contains(tagged.Text, "cart") {
		t.Errorf("%+v is not %+v", tagged, plain)
	}
	if tagged.Origin.Route != "/cart" {
		t.Errorf("the origin of a tagged statement is %+v", tagged.Origin)
	}
}
