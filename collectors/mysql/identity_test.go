package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestAddressesAreWhereTheServerListens(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		reached   string
		want      []string
	}{
		"everywhere": {
			map[string]string{"bind_address": "*", "hostname": "db1", "port": "3306", "socket": "/run/s.sock"},
			"",
			[]string{"/run/s.sock", "db1:3306"},
		},
		"two addresses and a report": {
			map[string]string{"bind_address": "10.0.0.1, ::1", "port": "3307", "hostname": "db1", "report_host": "db1.lan", "report_port": "0"},
			"db1.example:3307",
			[]string{"10.0.0.1:3307", "[::1]:3307", "db1.example:3307", "db1.lan:3307"},
		},
		"no network": {map[string]string{"bind_address": "", "port": "0", "socket": "/s"}, "", []string{"/s"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, addresses(test.variables, test.reached)); diff != "" {
				t.Errorf("addresses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeyIsTheServersOwn(t *testing.T) {
	for _, test := range []struct {
		variables map[string]string
		want      string
	}{
		{map[string]string{"server_uuid": "u", "server_id": "1"}, "u"},
		{map[string]string{"server_uid": "x=", "server_id": "1"}, "x=-1"},
		{map[string]string{"server_id": "7", "hostname": "db1", "port": "3306"}, "7-db1:3306"},
	} {
		if got := key(test.variables); got != test.want {
			t.Errorf("key(%v) = %q, want %q", test.variables, got, test.want)
		}
	}
}

func TestOneServerIsTheSameThroughSocketAndNetwork(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		socket := collect(t, open(t, s, 0), "mysql/identity").Identity
		s.Exec(t, "CREATE USER IF NOT EXISTS 'net'@'127.0.0.1' IDENTIFIED BY 'net'", "CREATE USER IF NOT EXISTS 'net'@'localhost' IDENTIFIED BY 'net'")
		network, err := Open(Config{Name: "db1", DSN: "net:net@tcp(" + s.Addr + ")/mysql?multiStatements=true", Remote: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = network.Close() }()
		got := collect(t, network, "mysql/identity").Identity
		if got.Key != socket.Key || !got.Started.Equal(socket.Started) || got.Version != socket.Version || !got.Remote {
			t.Errorf("through the network %+v, through the socket %+v", got, socket)
		}
		if diff := cmp.Diff([]string{s.Socket, s.Addr}, got.Addresses); diff != "" {
			t.Errorf("addresses (-want +got):\n%s", diff)
		}
	})
}

func TestChangesOfAServerAreTold(t *testing.T) {
	was := &snapshot.Identity{Key: "a", Version: "10.11.18"}
	for want, now := range map[string]*snapshot.Identity{
		"":                         {Key: "a", Version: "10.11.18"},
		"the server was restarted": {Key: "a", Version: "10.11.18", Started: unixMicros(1e6)},
		"the server was restarted, and is now 11.8.6; it was 10.11.18": {Key: "a", Version: "11.8.6", Started: unixMicros(1e6)},
		"another server answers: b (11.8.6) in the place of a":         {Key: "b", Version: "11.8.6"},
	} {
		if got := changed(was, now); got != want {
			t.Errorf("changed = %q, want %q", got, want)
		}
	}
	if got := changed(&snapshot.Identity{}, was); got != "" {
		t.Errorf("changed at first sight = %q, want nothing", got)
	}
}
