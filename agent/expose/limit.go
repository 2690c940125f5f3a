package expose

import (
	"net"
	"sync"
)

// limit bounds the connections that l holds at one time; more wait.
func limit(l net.Listener) net.Listener {
	return &limited{Listener: l, places: make(chan struct{}, maxConnections)}
}

type limited struct {
	net.Listener
	places chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
