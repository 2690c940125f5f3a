package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const fixtures = "../../fixtures/config/agent"

var known = []string{"host", "mysql/digests", "mysql/status"}

// read parses a fixture under its bare name, so that golden errors are short.
func read(t *testing.T, name string) (*Config, error) {
	t.Helper()
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	text, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	return Parse(name, text, known)
}

func fixture(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("fixtures %s: %d files, %v", pattern, len(files), err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

func TestGoodFilesAreAccepted(t *testing.T) {
	for _, name := range fixture(t, "*.good.yml") {
		t.Run(name, func(t *testing.T) {
			if _, err := read(t, name); err != nil {
				t.Errorf("Parse(%s): %v", name, err)
			}
		})
	}
}

func TestBadFilesAreRefusedWithTheErrorsTheyState(t *testing.T) {
	for _, name := range fixture(t, "*.bad.yml") {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, name)
			if err == nil {
				t.Fatalf("Parse(%s) succeeded, want an error", name)
			}
			if diff := cmp.Diff(stated(t, name), err.Error()); diff != "" {
				t.Errorf("Parse(%s) (-want +got):\n%s", name, diff)
			}
		})
	}
}

// stated returns the lines "# error: " of a bad file.
func stated(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	var errs []string
	for line := range strings.Lines(string(text)) {
		if e, ok := strings.CutPrefix(line, "# error: "); ok {
			errs = append(errs, strings.TrimSuffix(e, "\n"))
		}
	}
	return strings.Join(errs, "\n")
}

func TestSampleReadsInFull(t *testing.T) {
	got, err := read(t, "sample.good.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File: "sample.good.yml", Cluster: "shop", Host: "web1",
		Labels: map[string]string{"role": "web"},
		Socket: "/run/plimsoll/agent.sock", State: "/var/lib/plimsoll-agent",
		Listen: "127.0.0.1:9897", WebConfigFile: "/etc/plimsoll/agent/web.yml",
		Probe: "/run/plimsoll-probe/other.sock",
		MySQL: []MySQL{
			{Name: "db1", DSNFile: "/etc/plimsoll/mysql.dsn"},
			{Name: "local", Socket: "/run/mysqld/mysqld.sock"},
		},
		Jobs: map[string]Job{"mysql/digests": {Every: time.Minute}, "host": {Disabled: true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse(sample) (-want +got):\n%s", diff)
	}
}

func TestDocumentedExamplesAreAccepted(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/plimsoll-agent.service")
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	agent, _, _ := strings.Cut(string(text), "\n## The advisor")
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(agent, -1)
	if len(examples) < 2 {
		t.Fatalf("%d examples in docs/configuration.md, want 2 or more", len(examples))
	}
	for _, example := range examples {
		if _, err := Parse("docs/configuration.md", []byte(example[1]), append(known, "mysql/schema")); err != nil {
			t.Errorf("example\n%s: %v", example[1], err)
		}
	}
}

func TestEmptyFileIsTheDefaults(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t, "empty.good.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File: "empty.good.yml", Cluster: DefaultCluster, Host: host,
		Socket: DefaultSocket, State: DefaultState, Listen: DefaultListen, Probe: DefaultProbe,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse(empty) (-want +got):\n%s", diff)
	}
}

func TestCredentialsDirectoryIsExpandedInFilePathsOnly(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/agent")
	got, err := Parse("/etc/plimsoll/agent.yml", []byte(`
cluster: ${CREDENTIALS_DIRECTORY}
web_config_file: web.yml
mysql: [{name: db1, dsn_file: "${CREDENTIALS_DIRECTORY}/mysql"}]
`), known)
	if err != nil {
		t.Fatal(err)
	}
	if got.MySQL[0].DSNFile != "/run/credentials/agent/mysql" {
		t.Errorf("dsn_file = %s, want it in the credentials directory", got.MySQL[0].DSNFile)
	}
	if got.Cluster != "${CREDENTIALS_DIRECTORY}" {
		t.Errorf("cluster = %s, want it as written", got.Cluster)
	}
	if got.WebConfigFile != "/etc/plimsoll/web.yml" {
		t.Errorf("web_config_file = %s, want it beside the configuration", got.WebConfigFile)
	}
}

func TestAJobsOwnSettingsComeBeforeThoseOfItsArea(t *testing.T) {
	c := &Config{Jobs: map[string]Job{
		"mysql":         {Every: time.Minute, Timeout: time.Second},
		"mysql/digests": {Every: 5 * time.Second},
		"host":          {Disabled: true},
	}}
	got := []Job{c.Job("mysql/digests"), c.Job("mysql/status"), c.Job("host/disks"), c.Job("redis")}
	want := []Job{{Every: 5 * time.Second, Timeout: time.Second}, {Every: time.Minute, Timeout: time.Second}, {Disabled: true}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Job (-want +got):\n%s", diff)
	}
}

func TestOnlyTheDefaultFileMayBeMissing(t *testing.T) {
	if _, err := Read(filepath.Join(t.TempDir(), "agent.yml"), known); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of a missing file: %v, want fs.ErrNotExist", err)
	}
}

func TestAHugeFileIsRefusedUnread(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yml")
	if err := os.WriteFile(file, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file, known); err == nil || !strings.Contains(err.Error(), "at most 1048576 are allowed") {
		t.Errorf("Read of a huge file: %v, want its size refused", err)
	}
}

func TestDSNComesFromTheFileAndIsNeverPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dsn")
	const secret = "agent:hunter2@tcp(db1:3306)/"
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dsn, err := MySQL{Name: "db1", DSNFile: file}.DSN()
	if err != nil {
		t.Fatal(err)
	}
	if string(dsn) != secret {
		t.Error("DSN differs from the file's")
	}
	printed := fmt.Sprintf("%v %s %+v %#v %q", dsn, dsn, struct{ D DSN }{dsn}, dsn, dsn)
	if strings.Contains(printed, "hunter2") {
		t.Errorf("printed: %s", printed)
	}
}

func TestAMalformedDSNIsNotQuotedInItsError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := MySQL{Name: "db1", DSNFile: file}.DSN()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("DSN: %v, want an error without the file's content", err)
	}
}

func TestADSNIsRemoteUnlessItStaysOnTheHost(t *testing.T) {
	for dsn, want := range map[DSN]bool{
		"u:p@tcp(db1:3306)/":               true,
		"u:p@tcp(10.0.0.5:3306)/":          true,
		"u:p@tcp(127.0.0.1:3306)/":         false,
		"u@unix(/run/mysqld/mysqld.sock)/": false,
		"u:p@/":                            false,
		"not a DSN":                        false,
	} {
		if got := dsn.Remote(); got != want {
			t.Errorf("Remote(%s) = %t, want %t", string(dsn), got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"*.good.yml", "*.bad.yml"} {
		files, err := filepath.Glob(filepath.Join(fixtures, pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("agent.yml", text, known)
		if err == nil && (labelProblem(c.Cluster) != "" || labelProblem(c.Host) != "") {
			t.Errorf("accepted cluster %q, host %q", c.Cluster, c.Host)
		}
	})
}
