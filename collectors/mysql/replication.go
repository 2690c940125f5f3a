package mysql

import "plimsoll/collectors"

// replicationJobs are the jobs around replication and the binary log.
func (s *Server) replicationJobs() []collectors.Job { return nil }
