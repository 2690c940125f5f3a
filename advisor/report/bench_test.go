package report

import (
	"fmt"
	"testing"
)

// BenchmarkHTML renders the report of a site of a thousand hosts.
func BenchmarkHTML(b *testing.B) {
	r := thousandHosts()
	for b.Loop() {
		if _, err := r.HTML(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkText renders the same for a terminal.
func BenchmarkText(b *testing.B) {
	r := thousandHosts()
	for b.Loop() {
		r.Text(TextOptions{})
	}
}

func thousandHosts() *Report {
	r := shop()
	for i := range 1000 {
		h := r.Hosts[2]
		h.Name, h.SeenRatio = fmt.Sprintf("web%d", i), 0.9
		r.Hosts = append(r.Hosts, h)
		s := r.Servers[1]
		s.Host, s.Name = fmt.Sprintf("db%d", i+10), fmt.Sprintf("db%d", i+10)
		r.Servers = append(r.Servers, s)
		for _, g := range r.Gaps[:3] {
			g.Host = h.Name
			r.Gaps = append(r.Gaps, g)
		}
		r.Unreachable = append(r.Unreachable, Unreachable{Target: h.Name, Reason: "connection refused"})
	}
	return r
}
