package mysql

import "plimsoll/collectors"

// lockJobs are the jobs around locks and transactions.
func (s *Server) lockJobs() []collectors.Job { return nil }
