package sampler

import "testing"

func TestPDOsControlOfTransactionsIsAStatement(t *testing.T) {
	for function, want := range map[string]string{
		"PDO::beginTransaction": "START TRANSACTION", "PDO::commit": "COMMIT", `Pdo\Mysql::rollBack`: "ROLLBACK",
		"PDO::inTransaction": "", "mysqli::commit": "",
	} {
		if got := sqlOf(memory{}, []frame{{function: function}}).text; string(got) != want {
			t.Errorf("%s sends %q, want %q", function, got, want)
		}
	}
}
