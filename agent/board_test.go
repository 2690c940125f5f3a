package agent

import (
	"testing"

	"plimsoll/agent/config"
	"plimsoll/collectors/snapshot"
)

// A section whose revision stays is not sent again.
func TestRevisionOfASectionChangesWithItsPart(t *testing.T) {
	for name, fresh := range map[snapshot.Section]*snapshot.Snapshot{
		snapshot.SectionHost:       {Machine: &snapshot.Machine{}},
		snapshot.SectionPHP:        {PHP: &snapshot.PHP{}},
		snapshot.SectionPHPProfile: {PHPProfile: &snapshot.PHPProfile{}},
		snapshot.SectionDigests:    {Servers: map[string]*snapshot.Server{"db1": {Digests: &snapshot.Digests{}}}},
	} {
		b := newBoard(&config.Config{})
		before := map[snapshot.Section]string{}
		for _, section := range snapshot.Sections() {
			before[section] = b.revision(section)
		}
		b.merge(fresh)
		for _, section := range snapshot.Sections() {
			if changed := b.revision(section) != before[section]; changed != (section == name) {
				t.Errorf("part of section %s: revision of %s changes: %v", name, section, changed)
			}
		}
	}
}
