package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// over is what go test prints of a target whose time was over between two cancelations.
const over = "--- FAIL: FuzzX (1.01s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tplimsoll/x\t1.02s\n"

// fuzzWith runs .ci/fuzz with a go command that prints this for each target, and fails if it says so.
func fuzzWith(t *testing.T, prints string, fails bool) (out string, err error) {
	t.Helper()
	bin, text := t.TempDir(), filepath.Join(t.TempDir(), "out")
	script := "#!/bin/sh\ncat " + text + "\n"
	if fails {
		script += "exit 1\n"
	}
	for path, content := range map[string]string{text: prints, filepath.Join(bin, "go"): script} {
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "../fuzz", "1s")
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	all, err := cmd.CombinedOutput()
	return string(all), err
}

func TestFuzzSaysWhatItTolerates(t *testing.T) {
	const tolerated = "tolerated: its time was over between two cancelations (go.dev/issue/75804)\tFuzz"
	for name, c := range map[string]struct {
		prints      string
		fails, want bool
		shows       string
	}{
		"holds":               {"PASS\nok  \tplimsoll/x\t1.02s\n", false, true, "ok  \tplimsoll/x\t1.02s\tFuzz"},
		"its time was over":   {over, true, true, tolerated},
		"does not hold":       {"Failing input written to testdata/fuzz/FuzzX/1\n" + over, true, false, "Failing input"},
		"does not even build": {"FAIL\tplimsoll/x [build failed]\n", true, false, "build failed"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := fuzzWith(t, c.prints, c.fails)
			if (err == nil) != c.want || !strings.Contains(out, c.shows) {
				t.Errorf("%v, want success %v; it says %.300q, want %q", err, c.want, out, c.shows)
			}
			if c.want && strings.Contains(out, "FAIL") {
				t.Errorf("it says FAIL of what it tolerates: %.300q", out)
			}
		})
	}
}
