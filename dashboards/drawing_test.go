package dashboards_test

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/prometheus/common/model"
)

// drawing is one page with the answer to every query, for people to look at: it
// shows what a graph would, without a Grafana.
type drawing struct {
	out  strings.Builder
	page string
}

func (d *drawing) add(page, panel, query string, value model.Value) {
	if page != d.page {
		fmt.Fprintf(&d.out, "<h1>%s</h1>\n", html.EscapeString(page))
		d.page = page
	}
	fmt.Fprintf(&d.out, "<section><h2>%s, %s</h2>", html.EscapeString(panel), query)
	switch v := value.(type) {
	case model.Matrix:
		d.lines(v)
	case model.Vector:
		d.rows(v)
	}
	d.out.WriteString("</section>\n")
}

const drawnWidth, drawnHeight = 460, 90

func (d *drawing) lines(matrix model.Matrix) {
	from, to, top := math.Inf(1), math.Inf(-1), 0.0
	for _, series := range matrix {
		for _, v := range series.Values {
			from, to = math.Min(from, float64(v.Timestamp)), math.Max(to, float64(v.Timestamp))
			if !math.IsNaN(float64(v.Value)) && !math.IsInf(float64(v.Value), 0) {
				top = math.Max(top, float64(v.Value))
			}
		}
	}
	fmt.Fprintf(&d.out, `<svg width="%d" height="%d" viewBox="0 0 %[1]d %[2]d">`, drawnWidth, drawnHeight)
	for i, series := range matrix {
		fmt.Fprintf(&d.out, `<polyline fill="none" stroke="hsl(%d 60%% 45%%)" points="`, i*67%360)
		for _, v := range series.Values {
			x := (float64(v.Timestamp) - from) / math.Max(to-from, 1) * drawnWidth
			y := drawnHeight - float64(v.Value)/math.Max(top, 1e-12)*(drawnHeight-4) - 2
			if !math.IsNaN(y) && !math.IsInf(y, 0) {
				fmt.Fprintf(&d.out, "%.1f,%.1f ", x, y)
			}
		}
		d.out.WriteString(`"/>`)
	}
	fmt.Fprintf(&d.out, "</svg><p>%d series, at most %.4g</p><p>", len(matrix), top)
	for i, series := range matrix {
		if i < 12 {
			fmt.Fprintf(&d.out, `<span style="color:hsl(%d 60%% 45%%)">%s</span> `, i*67%360, html.EscapeString(series.Metric.String()))
		}
	}
	d.out.WriteString("</p>")
}

func (d *drawing) rows(vector model.Vector) {
	d.out.WriteString("<table>")
	for _, sample := range vector {
		fmt.Fprintf(&d.out, "<tr><td>%s<td>%s", html.EscapeString(sample.Metric.String()), html.EscapeString(sample.Value.String()))
	}
	d.out.WriteString("</table>")
}

func (d *drawing) html() string {
	return `<!doctype html><meta charset="utf-8"><title>Every panel</title><style>
body{font:12px system-ui;margin:16px}section{display:inline-block;width:470px;vertical-align:top;margin:6px;border:1px solid #ccc;padding:6px}
h1{font-size:18px}h2{font-size:13px;margin:0}svg{background:#f6f6f6}table{font-size:11px}td{padding:0 6px}p{margin:2px 0;overflow-wrap:anywhere}
</style>` + d.out.String()
}
