package sampler

import (
	"strings"

	"plimsoll/collectors/snapshot"
)

// backends tells what answers at an address.
type backends struct {
	// configured are an operator's own, by address, port or path.
	configured map[string]snapshot.PHPState
}

// of returns the state of waiting for the other end of a socket, and whether it is sure: a known port, or the
// program that listens.
func (b backends) of(e ends) (snapshot.PHPState, bool) {
	for _, key := range []string{e.peer, portOf(e.peer)} {
		if state, ok := b.configured[key]; ok && key != "" {
			return state, true
		}
	}
	if state, ok := stateOfProgram(e.program); ok {
		return state, true
	}
	if state, ok := stateOfPort(e.port); ok {
		return state, true
	}
	if state, ok := stateOfPath(e.peer); ok {
		return state, true
	}
	return snapshot.PHPUnknown, false
}

func portOf(address string) string {
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		return address[i:]
	}
	return ""
}

// stateOfPort knows the ports that IANA or a server's manual gives, and HTTP's usual others.
func stateOfPort(port int) (snapshot.PHPState, bool) {
	switch port {
	case 3306, 3307, 3308, 33060, 6033, 6446, 6447: // 6033: ProxySQL; 6446, 6447: MySQL Router
		return snapshot.PHPMySQL, true
	case 6379, 6380, 26379:
		return snapshot.PHPRedis, true
	case 11211:
		return snapshot.PHPMemcached, true
	case 9200, 9300, 8983, 9306, 9308, 9312, 7700, 8108: // Elasticsearch, Solr, Sphinx, Meilisearch, Typesense
		return snapshot.PHPSearch, true
	case 5672, 5671:
		return snapshot.PHPAMQP, true
	case 80, 443, 8080, 8443, 8000:
		return snapshot.PHPHTTP, true
	case 25, 465, 587, 1025:
		return snapshot.PHPSMTP, true
	case 53:
		return snapshot.PHPDNS, true
	}
	return "", false
}

// stateOfProgram knows servers by the name of their process, which the kernel cuts at 15 bytes.
func stateOfProgram(name string) (snapshot.PHPState, bool) {
	switch name {
	case "mysqld", "mariadbd", "proxysql", "mysqlrouter", "maxscale":
		return snapshot.PHPMySQL, true
	case "redis-server", "valkey-server", "keydb-server", "dragonfly":
		return snapshot.PHPRedis, true
	case "memcached":
		return snapshot.PHPMemcached, true
	case "searchd", "manticore": //nolint:misspell // Sphinx and Manticore
		return snapshot.PHPSearch, true
	case "nginx", "apache2", "httpd", "caddy", "lighttpd":
		return snapshot.PHPClient, true
	case "master": // Postfix
		return snapshot.PHPSMTP, true
	case "systemd-resolve", "nscd":
		return snapshot.PHPDNS, true
	}
	return "", false
}

// stateOfPath guesses by the usual names of sockets: where the program cannot be seen.
func stateOfPath(name string) (snapshot.PHPState, bool) {
	for part, state := range map[string]snapshot.PHPState{
		"mysql": snapshot.PHPMySQL, "maria": snapshot.PHPMySQL, "redis": snapshot.PHPRedis, "valkey": snapshot.PHPRedis,
		"memcache": snapshot.PHPMemcached,
	} {
		if strings.HasPrefix(name, "/") && strings.Contains(name, part) {
			return state, true
		}
	}
	return "", false
}

// stateOfFunction says what a function of PHP waits for. Those that speak one protocol only are right whatever
// the port; others are better than nothing.
func stateOfFunction(name string) (state snapshot.PHPState, right bool) {
	class, _, method := strings.Cut(name, "::")
	class = strings.ToLower(class)
	if method {
		switch class {
		case "pdo", "pdostatement", "mysqli", "mysqli_stmt", "mysqli_result", "pdo\\mysql":
			return snapshot.PHPMySQL, true
		case "redis", "rediscluster", "redisarray", "redissentinel", "relay\\relay":
			return snapshot.PHPRedis, true
		case "memcached", "memcache", "memcachepool":
			return snapshot.PHPMemcached, true
		case "amqpqueue", "amqpexchange", "amqpchannel", "amqpconnection":
			return snapshot.PHPAMQP, true
		case "soapclient":
			return snapshot.PHPHTTP, false
		}
		return "", false
	}
	for prefix, state := range map[string]snapshot.PHPState{
		"mysqli_": snapshot.PHPMySQL, "memcache_": snapshot.PHPMemcached,
	} {
		if strings.HasPrefix(class, prefix) {
			return state, true
		}
	}
	switch class {
	case "curl_exec", "curl_multi_select", "curl_multi_exec":
		return snapshot.PHPHTTP, false
	case "mail", "mb_send_mail":
		return snapshot.PHPSMTP, false
	case "gethostbyname", "gethostbynamel", "dns_get_record", "checkdnsrr", "dns_check_record", "getmxrr", "dns_get_mx":
		return snapshot.PHPDNS, false
	case "exec", "shell_exec", "system", "passthru", "proc_close", "pclose":
		return snapshot.PHPChild, false
	}
	return "", false
}
