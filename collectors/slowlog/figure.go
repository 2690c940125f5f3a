package slowlog

// Figure is something that a log tells of a call beside its duration. What is told depends on server
// and verbosity.
type Figure uint8

// The figures. Durations are in microseconds, flags are 0 or 1. Those up to TmpDiskTables are added up
// by statement.
const (
	LockTime      Figure = iota // Lock_time, µs
	RowsSent                    // Rows_sent
	RowsExamined                // Rows_examined
	RowsAffected                // Rows_affected: MariaDB, Percona Server
	FullScan                    // Full_scan; of MySQL from Read_first and Read_rnd_next, see Entry
	TmpDiskTables               // Tmp_disk_tables; Created_tmp_disk_tables; else Tmp_table_on_disk
	BytesSent                   // Bytes_sent
	FullJoin                    // Full_join: MariaDB, Percona Server
	TmpTables                   // Tmp_tables; Created_tmp_tables
	Filesort                    // Filesort; of MySQL from Sort_range_count and Sort_scan_count
	FilesortDisk                // Filesort_on_disk
	MergePasses                 // Merge_passes; Sort_merge_passes
	Failed                      // 1 if Errno or Last_errno is not 0
	PagesRead                   // Pages_read; InnoDB_IO_r_ops
	ReadTime                    // Pages_read_time; InnoDB_IO_r_wait; µs
	RowLockTime                 // InnoDB_rec_lock_wait, µs: Percona Server
	figures                     // how many there are

	totalled = TmpDiskTables + 1 // how many are added up
)

// What else a header tells, of which some is a figure only together with something else.
const (
	queryTime    = figures + iota // µs
	threadID                      // Thread_id
	rateLimit                     // Log_slow_rate_limit: Percona Server
	errorNumber                   // Errno; Last_errno
	readFirst                     // Read_first
	readRndNext                   // Read_rnd_next
	sortRanges                    // Sort_range_count
	sortScans                     // Sort_scan_count
	tmpTable                      // Tmp_table, a flag
	tmpDiskTable                  // Tmp_table_on_disk, a flag
	nothing                       // what nobody needs
	readings                      // how many there are
)

// Figures are those that an entry tells.
type Figures struct {
	value [readings]uint64
	known uint32 // a bit for each figure
}

// forget makes figures unknown.
func (f *Figures) forget(which ...Figure) {
	for _, w := range which {
		f.known &^= 1 << w
	}
}

// Get returns a figure, and whether the log told it: what it does not tell is unknown, not zero.
func (f *Figures) Get(which Figure) (value uint64, known bool) {
	return f.value[which], f.known&(1<<which) != 0
}

func (f *Figures) told(which Figure) bool { return f.known&(1<<which) != 0 }

func (f *Figures) set(which Figure, value uint64) {
	f.value[which] = value
	f.known |= 1 << which
}

// Total is a figure over several calls.
type Total struct {
	// Calls is in how many calls the log told the figure; the others are not in the sum. If it is 0,
	// nothing is known.
	Calls uint64
	Sum   uint64
	Max   uint64
}

// add adds a figure that stands for weight calls.
func (t *Total) add(value, weight uint64) {
	t.Calls = plus(t.Calls, weight)
	t.Sum = plus(t.Sum, times(value, weight))
	t.Max = max(t.Max, value)
}

// Merge adds the calls of o. A sum stays at the largest number where a hostile log goes beyond.
func (t *Total) Merge(o Total) {
	t.Calls = plus(t.Calls, o.Calls)
	t.Sum = plus(t.Sum, o.Sum)
	t.Max = max(t.Max, o.Max)
}
