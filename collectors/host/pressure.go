package host

import (
	"fmt"
	"strconv"
	"strings"
)

// pressure reads the kernel's pressure stall information (PSI, Linux 4.20).
// Some distributions build it in and leave it off: then the files are missing,
// or reading them fails with "operation not supported".
func (r *reading) pressure() {
	p := &r.machine.Pressure
	for _, resource := range []struct {
		name       string
		some, full **float64
	}{
		// The kernel's line "full" for processors is always zero for a whole
		// host, so it is not read.
		{name: "cpu", some: &p.CPUSome},
		{name: "memory", some: &p.MemorySome, full: &p.MemoryFull},
		{name: "io", some: &p.IOSome, full: &p.IOFull},
	} {
		text, err := r.file("pressure/" + resource.name)
		if err != nil {
			r.gap("", "the kernel does not measure pressure (PSI)", "boot with psi=1 on the kernel's command line (Linux 4.20 or newer)")
			return
		}
		totals, err := parsePressure(text)
		if err != nil {
			r.gap("", fmt.Sprintf("pressure on %s: %v", resource.name, err), "")
			continue
		}
		*resource.some = totals["some"]
		if resource.full != nil {
			*resource.full = totals["full"]
		}
	}
}

// parsePressure reads lines such as
//
//	some avg10=0.14 avg60=0.49 avg300=0.59 total=5634465
//
// into seconds by the first word; the kernel's total is in microseconds.
func parsePressure(text string) (map[string]*float64, error) {
	totals := map[string]*float64{}
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(line, " ")
		_, total, found := strings.Cut(rest, "total=")
		micros, err := strconv.ParseUint(strings.TrimSpace(total), 10, 64)
		if !found || err != nil {
			return nil, fmt.Errorf("line %q has no total", strings.TrimSpace(line))
		}
		seconds := float64(micros) / 1e6
		totals[kind] = &seconds
	}
	if totals["some"] == nil {
		return nil, fmt.Errorf("no line some")
	}
	return totals, nil
}
