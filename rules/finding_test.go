package rules

import "testing"

func TestAPartLiesWithinTheWhole(t *testing.T) {
	server := Subject{Cluster: "shop", Kind: OfServer, Name: "db1"}
	second := Subject{Cluster: "shop", Kind: OfServer, Name: "db1", Part: "reporting"}
	table := Subject{Cluster: "shop", Kind: OfTable, Schema: "shop", Name: "orders"}
	cases := map[string]struct {
		inner, outer Subject
		want         bool
	}{
		"itself":                      {server, server, true},
		"anything in its cluster":     {table, Subject{Cluster: "shop", Kind: OfCluster}, true},
		"nothing of another cluster":  {table, Subject{Cluster: "blog", Kind: OfCluster}, false},
		"a channel in its server":     {Subject{Cluster: "shop", Kind: OfChannel, Name: "db1", Part: "/east"}, server, true},
		"a channel of a named server": {Subject{Cluster: "shop", Kind: OfChannel, Name: "db1", Part: "reporting/east"}, second, true},
		"a server not in its channel": {server, Subject{Cluster: "shop", Kind: OfChannel, Name: "db1", Part: "/east"}, false},
		"not another server's":        {Subject{Cluster: "shop", Kind: OfChannel, Name: "db1", Part: "reporting2/east"}, second, false},
		"an index in its table":       {Subject{Cluster: "shop", Kind: OfIndex, Schema: "shop", Name: "orders", Part: "a"}, table, true},
		"another schema's table":      {Subject{Cluster: "shop", Kind: OfTable, Schema: "blog", Name: "orders"}, table, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.inner.Within(c.outer); got != c.want {
				t.Errorf("%v within %v = %v, want %v", c.inner, c.outer, got, c.want)
			}
		})
	}
}

func TestAFingerprintHoldsRuleAndSubjectAndNoFigure(t *testing.T) {
	about := Subject{Cluster: "shop", Kind: OfServer, Name: "db1"}
	a := Found(Rule{ID: "a/rule"}, about, Evidence{What: "lag", Value: 1})
	b := Found(Rule{ID: "a/rule", Threshold: Threshold{Value: 9}}, about, Evidence{What: "lag", Value: 2}, Evidence{What: "more"})
	if a.Fingerprint != b.Fingerprint {
		t.Errorf("fingerprints of one finding with other figures = %s and %s, want them equal", a.Fingerprint, b.Fingerprint)
	}
	others := []Finding{
		Found(Rule{ID: "a/other"}, about, Evidence{}),
		Found(Rule{ID: "a/rule"}, Subject{Cluster: "shop", Kind: OfHost, Name: "db1"}, Evidence{}),
		Found(Rule{ID: "a/rule"}, Subject{Cluster: "shopdb1", Kind: OfServer}, Evidence{}),
	}
	for _, other := range others {
		if other.Fingerprint == a.Fingerprint {
			t.Errorf("%s about %+v has the fingerprint of another finding", other.Rule, other.Subject)
		}
	}
	if a.Fingerprint != "f4da5cf27d37acda" {
		t.Errorf("fingerprint = %s: acknowledgements in files hold it, and it must never change", a.Fingerprint)
	}
}

func TestASubjectIsWrittenWithoutWhatDoesNotShow(t *testing.T) {
	got := Subject{Schema: "shop", Name: "or\u202eders\n", Part: "a\x1b[31m"}.String()
	if want := "shop.orders (a[31m)"; got != want {
		t.Errorf("subject = %q, want %q", got, want)
	}
}

func TestSeverityIsTheShareOfTheWorkersTime(t *testing.T) {
	cases := []struct {
		gain *Estimate
		load float64
		want Severity
	}{
		{Between(2, 4), 10, Critical},
		{Between(2.9, 3), 10, High},
		{Between(1, 1), 10, High},
		{Between(0.9, 1), 10, Medium},
		{Between(0.3, 0.3), 10, Medium},
		{Between(0.2, 0.3), 10, Low},
		{Between(0.1, 0.1), 10, Low},
		{Between(0, 0.1), 10, Info},
		{Between(5, 5), 0, Info},
		{Between(0.005, 0.009), 0.01, Info},
		{Between(0.005, 0.01), 0.01, Critical},
	}
	for _, c := range cases {
		if got := severityOf(c.gain, c.load); got != c.want {
			t.Errorf("severity of %g to %g of %g = %s, want %s", c.gain.Lo, c.gain.Hi, c.load, got, c.want)
		}
	}
}

func TestAGainIsAnIntervalThatIsNotNegative(t *testing.T) {
	if got := *Between(3, -1); got != (Estimate{0, 3}) {
		t.Errorf("between 3 and -1 = %+v, want 0 to 3", got)
	}
}
