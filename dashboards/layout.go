package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// pageWidth is the number of Grafana's columns.
const pageWidth = 24

// lay places panels in lines, from y on, and returns where the next line
// starts. Every line is full, and the panels in it are of one height: holes
// and ragged lines are mistakes of the page.
func lay(panels []dashboard.Panel, sizes []panel, y uint32) (uint32, error) {
	x := 0
	for i, p := range sizes {
		panels[i].GridPos = &dashboard.GridPos{H: uint32(p.height), W: uint32(p.width), X: uint32(x), Y: y}
		x += p.width
		switch {
		case x > pageWidth:
			return 0, fmt.Errorf("panel %s does not fit in its line: it ends at column %d", p.name, x)
		case x == pageWidth:
			x, y = 0, y+uint32(p.height)
		case i+1 == len(sizes):
			return 0, fmt.Errorf("panel %s ends its row at column %d of %d", p.name, x, pageWidth)
		case sizes[i+1].height != p.height:
			return 0, fmt.Errorf("panels %s and %s stand in one line and differ in height", p.name, sizes[i+1].name)
		}
	}
	return y, nil
}
