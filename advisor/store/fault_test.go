package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// childDir names the environment variable that turns this test binary into a
// process which appends to the store in that folder until it is killed.
const childDir = "STORE_TEST_CHILD_DIR"

func appendUntilKilled(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	base := time.Now()
	labels := map[string]string{"pid": strconv.Itoa(os.Getpid())}
	for i := 0; ; i++ {
		err := s.Append(context.Background(), []Sample{{Name: "acknowledged", Labels: labels, Time: base.Add(time.Duration(i) * time.Millisecond), Value: float64(i)}})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

func TestAcknowledgedSamplesSurviveKill9(t *testing.T) {
	dir := t.TempDir()
	total := 0
	for range 3 {
		total += killAfter(t, dir, 500)
	}
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, _, _, err := s.Querier().Query(t.Context(), `sum(count_over_time(acknowledged[1h]))`, time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	// More is fine: the last append of each child may have been stored but not
	// printed any more.
	if got := int(v.(model.Vector)[0].Value); got < total || got > total+3 {
		t.Errorf("%d samples after 3 kill -9, want %d to %d", got, total, total+3)
	}
}

// killAfter runs a child that appends, kills it once n samples are
// acknowledged, and returns how many really were.
func killAfter(t *testing.T, dir string, n int) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); seen++ {
		if got, err := strconv.Atoi(lines.Text()); err != nil || got != seen {
			t.Fatalf("child printed %q, want %d", lines.Text(), seen)
		}
		if seen+1 == n {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if seen < n {
		t.Fatalf("child stopped by itself after %d samples", seen)
	}
	return seen
}

func TestOpenWaitsForTheLockAndNamesTheFolder(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Options{Dir: s.dir})
	if err == nil || !strings.Contains(err.Error(), s.dir+" is in use by another process; stop it") {
		t.Errorf("second Open = %v, want one that names the folder and the remedy", err)
	}
}

func TestOpenSucceedsWhenTheLockIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*lockRetry, func() { _ = first.Close() })
	second, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
