package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"plimsoll/fixtures/slowlogs"
)

// BenchmarkDigest runs the whole command over the log of each kind of server. `make profile` records
// what it does for the compiler.
func BenchmarkDigest(b *testing.B) {
	const size, statements = 64 << 20, 5000
	for _, layout := range slowlogs.Layouts() {
		path := filepath.Join(b.TempDir(), "slow.log")
		if err := os.WriteFile(path, slowlogs.Generate(layout, size, statements, 1), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(string(layout), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				var complaints bytes.Buffer
				if code := run(b.Context(), []string{"digest", "--format", "json", path}, io.Discard, &complaints); code != 0 {
					b.Fatalf("exit code %d: %s", code, complaints.String())
				}
			}
		})
	}
}
