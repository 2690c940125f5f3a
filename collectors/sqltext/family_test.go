package sqltext

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTablesThatDifferInNumbersAreOneFamily(t *testing.T) {
	for name, want := range map[string]string{
		"wp_12_posts":                           "wp_#_posts",
		"wp_posts":                              "wp_posts",
		"catalog_category_product_index_store1": "catalog_category_product_index_store#",
		"catalog_product_flat_1":                "catalog_product_flat_#",
		"search_tmp_65f0c3a1b2c3d4_12345678":    "search_tmp_#_#",
		"tmp_select_65f":                        "tmp_select_#",
		"tmp_d41d8cd98f00b204e9800998ecf8427e":  "tmp_#",
		"orders_2024_01":                        "orders_#_#",
		"oauth2_clients":                        "oauth2_clients",
		"user_2fa":                              "user_2fa",
		"t1":                                    "t1",
		"md5":                                   "md5",
		"2024":                                  "#",
		"facade_effaced":                        "facade_effaced",
		"":                                      "",
		"_":                                     "_",
		"node__field_tags":                      "node__field_tags",
		"sequence_order_1":                      "sequence_order_#",
		"quote_item_deadbeef":                   "quote_item_deadbeef",
		"quote_item_deadbee5":                   "quote_item_#",
		"customer_grid_flat_replica_20260101":   "customer_grid_flat_replica_#",
		"catalogsearch_fulltext_scope12_replica2": "catalogsearch_fulltext_scope12_replica#",
	} {
		if got := TableFamily(name); got != want {
			t.Errorf("TableFamily(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestAFamilyIsOneStatementWithItsOwnIdentity(t *testing.T) {
	const second = "select wp_2_posts.ID from shop.`wp_2_posts` join wp_2_meta m on m.id = wp_2_posts.ID where n_2 = 5 /*route='/x'*/"
	const twelfth = "SELECT wp_12_posts.ID FROM shop.wp_12_posts JOIN `wp_12_meta` m ON m.id = wp_12_posts.ID WHERE n_2 = -6 /*route='/x'*/"
	got := ParseFamily(second)
	if diff := cmp.Diff(got, ParseFamily(twelfth)); diff != "" {
		t.Errorf("two sites of one network differ:\n%s", diff)
	}
	want := Statement{
		Fingerprint: Fingerprint(got.Text),
		Text:        "SELECT `wp_#_posts`.ID FROM shop.`wp_#_posts` JOIN `wp_#_meta` m ON m.id = `wp_#_posts`.ID WHERE n_2 = ?",
		Class:       Select, Reads: []string{"shop.wp_#_posts", "wp_#_meta"}, Origin: Origin{Route: "/x"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if Fingerprint(second) == Fingerprint(twelfth) {
		t.Error("the statements themselves are one")
	}
}

func TestAStatementWithoutSuchTablesIsItsOwnFamily(t *testing.T) {
	for _, sql := range []string{"SELECT a_1 FROM t WHERE b = 5", "COMMIT", "", "CALL p_1(2)", "EXECUTE SELECT `a` FROM `t`"} {
		if diff := cmp.Diff(Parse(sql), ParseFamily(sql)); diff != "" {
			t.Errorf("%q:\n%s", sql, diff)
		}
	}
}
