package sqlshape

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shop is a catalog of a few tables.
func shop(schema, table string) ([]string, bool) {
	columns, ok := map[string][]string{
		"orders":    {"id", "customer_id", "status", "created_at", "Total"},
		"customers": {"id", "email", "country"},
		"items":     {"id", "order_id", "sku", "qty"},
		"EVENTS":    {"ID", "type", "at"},
	}[table]
	return columns, ok && (schema == "" || schema == "shop")
}

func TestShapes(t *testing.T) {
	for _, test := range []struct {
		name, sql string
		catalog   Catalog
		want      string
	}{
		{
			name: "predicates by what an index can do",
			sql:  "SELECT * FROM t WHERE a = 1 AND b IN (1, 2) AND c > 5 AND d IS NULL AND e <=> 2 AND f IS NOT NULL AND g BETWEEN 1 AND 2",
			want: "t: equal=a,e in=b(2) null=d range=c,g notnull=f needs=a,b,c,d,e,f,g,*\n",
		},
		{
			name: "order and limit",
			sql:  "SELECT a FROM t WHERE a = 1 ORDER BY e DESC, f LIMIT 10",
			want: "t: equal=a order=e-,f needs=a,e,f\nblock 0: ordered limited 10\n",
		},
		{
			name: "order by position and alias",
			sql:  "SELECT a, b AS x FROM t ORDER BY 2 DESC, 1",
			want: "t: order=b-,a needs=a,b\nblock 0: ordered\n",
		},
		{
			name: "group by an alias of a column",
			sql:  "SELECT d AS x, COUNT(*) FROM t GROUP BY x ORDER BY x",
			want: "t: order=d group=d needs=d\nblock 0: aggregated grouped ordered\n",
		},
		{
			name: "group by an alias of an expression is no column",
			sql:  "SELECT DATE(d) AS x, COUNT(*) FROM t GROUP BY x HAVING x > 1 ORDER BY x",
			want: "t: needs=d\nblock 0: aggregated grouped ordered\n",
		},
		{
			name: "order over two tables is nobody's",
			sql:  "SELECT t.a FROM t JOIN u ON u.x = t.x ORDER BY t.a, u.b",
			want: "t: join=x=u.x needs=a,x\nu: join=x=t.x needs=x,b\nblock 0: ordered\n",
		},
		{
			name: "order by null wants none",
			sql:  "SELECT a FROM t GROUP BY a ORDER BY NULL",
			want: "t: group=a needs=a\nblock 0: grouped\n",
		},
		{
			name: "an order by number in a digest is unknown",
			sql:  "SELECT `a` , `b` FROM `t` ORDER BY ? ",
			want: "t: needs=a,b\nblock 0: ordered\n",
		},
		{
			name: "or on one column is in",
			sql:  "SELECT a FROM t WHERE a = 1 OR a = 2 OR a IN (3, 4)",
			want: "t: in=a(4) needs=a\n",
		},
		{
			name: "or on two columns has branches",
			sql:  "SELECT a FROM t WHERE x = 1 AND (a = 1 OR b > 2 OR c LIKE 'x%')",
			want: "t: equal=x or!(equal=a | range=b | prefix=c) needs=a,x,b,c\n",
		},
		{
			name: "or with a branch that no index serves",
			sql:  "SELECT a FROM t WHERE a = 1 OR b <> 2",
			want: "t: or(equal=a | other=b) needs=a,b\n",
		},
		{
			name: "what all branches say holds",
			sql:  "SELECT a FROM t WHERE (a = 1 AND b = 2) OR (a = 3 AND c = 4)",
			want: "t: in=a(2) or!(equal=a,b | equal=a,c) needs=a,b,c\n",
		},
		{
			name: "or over two tables is complete for none",
			sql:  "SELECT 1 FROM t, u WHERE t.id = u.id AND (t.a = 1 OR u.b = 2)",
			want: "t: or(equal=a | ) join=id=u.id needs=id,a\nu: or( | equal=b) join=id=t.id needs=id,b\n",
		},
		{
			name: "like by its pattern",
			sql:  "SELECT 1 FROM t WHERE a LIKE 'x%' AND b LIKE '%x' AND c LIKE ? AND d LIKE '_x' AND e LIKE CONCAT(?, '%')",
			want: "t: prefix=a like=c,e other=b,d needs=a,b,c,d,e\n",
		},
		{
			name: "columns inside of expressions",
			sql:  "SELECT 1 FROM t WHERE DATE(a) = ? AND UPPER(b) IN (?) AND c + 1 > 5 AND d COLLATE utf8mb4_bin = 'x' AND CAST(e AS CHAR) = 1 AND j->'$.a' = 1 AND FIND_IN_SET(?, f) AND -g = 1",
			want: "t: wrapped=date(a),upper(b),+(c),collate(d),cast(e),expression(j),find_in_set(f),-(g) needs=a,b,c,d,e,j,f,g\n",
		},
		{
			name: "what excludes little",
			sql:  "SELECT 1 FROM t WHERE a <> 1 AND b NOT IN (1, 2) AND c NOT LIKE 'x' AND d REGEXP 'x' AND e AND NOT f AND g NOT BETWEEN 1 AND 2 AND h IS TRUE",
			want: "t: other=a,b,c,d,e,f,g,h needs=a,b,c,d,e,f,g,h\n",
		},
		{
			name: "values that are known before",
			sql:  "SELECT 1 FROM t WHERE a = NOW() - INTERVAL 1 DAY AND b > @x AND c = (SELECT MAX(y) FROM u) AND 5 = d AND 7 > e AND 3 BETWEEN f AND g",
			want: "t: equal=a,c,d range=b,e,f,g needs=a,b,c,d,e,f,g\nu: block1 needs=y\nblock 1: in 0 aggregated\n",
		},
		{
			name: "rows of columns",
			sql:  "SELECT 1 FROM t WHERE (a, b) = (1, 2) AND (c, d) IN ((1, 2), (3, 4))",
			want: "t: equal=a,b in=c(2),d(2) needs=a,b,c,d\n",
		},
		{
			name: "a column of the same row is not known",
			sql:  "SELECT 1 FROM t WHERE a = b AND c = d + 1 AND e > f",
			want: "t: needs=a,b,c,d,e,f\n",
		},
		{
			name: "join by JOIN and by comma are the same",
			sql:  "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id, items i WHERE i.order_id = o.id AND c.email = 'x'",
			want: "orders/o: join=customer_id=c.id join=id=i.order_id needs=id,customer_id\n" +
				"customers/c: equal=email join=id=o.customer_id needs=id,email\n" +
				"items/i: join=order_id=o.id needs=order_id\n",
		},
		{
			name: "an outer join looks the inner side up",
			sql:  "SELECT o.id FROM orders o LEFT JOIN items i ON i.order_id = o.id AND i.sku = 'x' AND o.status = 'y' WHERE i.id IS NULL",
			want: "orders/o: needs=id,status\nitems/i: outer equal=sku join=order_id=o.id needs=order_id,sku,id\n",
		},
		{
			name: "a right join the other way round",
			sql:  "SELECT 1 FROM items i RIGHT JOIN orders o ON i.order_id = o.id",
			want: "items/i: outer join=order_id=o.id needs=order_id\norders/o: needs=id\n",
		},
		{
			name: "an outer join whose inner side is compared is an inner join, and so is what it hangs on",
			sql:  "SELECT p.ID FROM p LEFT JOIN tr ON (p.ID = tr.object_id) LEFT JOIN tt ON tt.id = tr.tt_id LEFT JOIN x ON x.p = p.ID WHERE tt.slug = 'a' AND IFNULL(x.k, 1) = 1",
			want: "p: join=ID=tr.object_id needs=ID\n" +
				"tr: join=object_id=p.ID join=tt_id=tt.id needs=object_id,tt_id\n" +
				"tt: equal=slug join=id=tr.tt_id needs=id,slug\n" +
				"x: outer wrapped=ifnull(k) join=p=p.ID needs=p,k\n",
		},
		{
			name: "straight join has an order, a computed value no column",
			sql:  "SELECT 1 FROM t STRAIGHT_JOIN u ON u.a = t.a WHERE t.b = u.b + 1",
			want: "t: join=b=u. needs=a,b\nu: join=a=t.a needs=a,b\n",
		},
		{
			name: "using",
			sql:  "SELECT t.a, u.b FROM t JOIN u USING (id, x)",
			want: "t: join=id=u.id join=x=u.x needs=id,x,a\nu: join=id=t.id join=x=t.x needs=id,x,b\n",
		},
		{
			name: "a table with itself",
			sql:  "SELECT 1 FROM t a JOIN t b ON b.parent = a.id WHERE a.x = 1",
			want: "t/a: equal=x join=id=b.parent needs=id,x\nt/b: join=parent=a.id needs=parent\n",
		},
		{
			name: "exists is looked up by what is outside",
			sql:  "SELECT a FROM t WHERE EXISTS (SELECT * FROM u WHERE u.t_id = t.id AND u.x = 1) AND y = 2",
			want: "t: equal=y needs=a,id,y\nu: block1 equal=x join^=t_id=t.id needs=t_id,x\nblock 1: in 0\n",
		},
		{
			name: "in with a subquery can begin at either end",
			sql:  "SELECT a FROM t WHERE id IN (SELECT t_id FROM u WHERE x = 1)",
			want: "t: join~=id=u.t_id needs=a,id\nu: block1 equal=x join^~=t_id=t.id needs=t_id,x\nblock 1: in 0\n",
		},
		{
			name: "not in with a subquery is no join",
			sql:  "SELECT a FROM t WHERE id NOT IN (SELECT t_id FROM u)",
			want: "t: other=id needs=a,id\nu: block1 needs=t_id\nblock 1: in 0\n",
		},
		{
			name: "a condition on the outer table inside a subquery restricts nothing outside",
			sql:  "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.x AND t.y = 5)",
			want: "t: needs=a,x,y\nu: block1 join^=x=t.x needs=x\nblock 1: in 0\n",
		},
		{
			name: "a scalar subquery in the select list",
			sql:  "SELECT a, (SELECT COUNT(*) FROM u WHERE u.t_id = t.id AND u.k = 1) FROM t WHERE b < 2",
			want: "t: range=b needs=a,id,b\nu: block1 equal=k join^=t_id=t.id needs=t_id,k\nblock 1: in 0 aggregated\n",
		},
		{
			name: "a plain derived table is merged",
			sql:  "SELECT x.n FROM (SELECT id, name AS n FROM t WHERE a = 1) x JOIN u ON u.t_id = x.id WHERE x.n = 'b'",
			want: "t: equal=a,name join=id=u.t_id needs=id,name,a\nu: join=t_id=t.id needs=t_id\n",
		},
		{
			name: "an aggregated derived table is a table of its own",
			sql:  "SELECT x.n FROM (SELECT a, COUNT(*) n FROM t GROUP BY a) x JOIN u ON u.a = x.a WHERE x.n > 1",
			want: "t: block1 group=a needs=a\nx(derived): range=n join=a=u.a needs=n,a\nu: join=a=x.a needs=a\nblock 1: in 0 aggregated grouped\n",
		},
		{
			name: "a common table expression is merged wherever it is named",
			sql:  "WITH x AS (SELECT id FROM t WHERE a = 1) SELECT p.id FROM x p JOIN x q ON q.id = p.id",
			want: "t: equal=a join=id=t.id needs=id,a\nt: equal=a join=id=t.id needs=id,a\n",
		},
		{
			name: "a recursive one is not",
			sql:  "WITH RECURSIVE x AS (SELECT id, parent FROM t WHERE id = 1 UNION ALL SELECT t.id, t.parent FROM t JOIN x ON t.parent = x.id) SELECT id FROM x",
			want: "t: block1 equal=id needs=id,parent\nt: block2 join=parent=x.id needs=id,parent\n" +
				"x(derived): block2 join=id=t.parent needs=id\nx(derived): needs=id\nblock 1: in 0\nblock 2: in 0\n",
		},
		{
			name: "one that hides a table reads the table",
			sql:  "WITH t AS (SELECT id FROM t WHERE a = 1) SELECT id FROM t",
			want: "t: equal=a needs=id,a\n",
		},
		{
			name: "branches of a union are apart",
			sql:  "SELECT a FROM t WHERE a = 1 UNION ALL (SELECT b FROM u WHERE c = 2 ORDER BY d LIMIT 1) ORDER BY 1",
			want: "t: equal=a needs=a\nu: block1 equal=c order=d needs=b,c,d\nblock 1: ordered limited 1\n",
		},
		{
			name: "names without a table are looked up",
			sql:  "SELECT STATUS, total FROM orders JOIN customers ON customer_id = customers.id WHERE email = 'x' AND sku = 'y'",
			want: "orders: join=customer_id=customers.id needs=status,Total,customer_id\ncustomers: equal=email join=id=orders.customer_id needs=id,email\nunresolved 1\n",

			catalog: shop,
		},
		{
			name:    "the one unknown table has the unknown column",
			sql:     "SELECT email FROM customers, other WHERE email = other.mail AND x = 1",
			want:    "customers: join=email=other.mail needs=email\nother: equal=x join=mail=customers.email needs=mail,x\n",
			catalog: shop,
		},
		{
			name:    "a correlated name without a table",
			sql:     "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM items WHERE order_id = orders.id AND status = 'x')",
			want:    "orders: needs=id,status\nitems: block1 join^=order_id=orders.id needs=order_id\nblock 1: in 0\n",
			catalog: shop,
		},
		{
			name: "without a catalog they are counted",
			sql:  "SELECT a FROM t JOIN u ON t.id = u.id WHERE b = 1",
			want: "t: join=id=u.id needs=id\nu: join=id=t.id needs=id\nunresolved 2\n",
		},
		{
			name: "update",
			sql:  "UPDATE t SET a = 1, b = b + 1 WHERE c = 5 AND d < 3 ORDER BY e LIMIT 1",
			want: "t: write sets=a,b equal=c range=d order=e needs=b,c,d,e,*\nblock 0: ordered limited 1\n",
		},
		{
			name: "update of one of two tables",
			sql:  "UPDATE t JOIN u ON u.id = t.u_id SET t.a = u.b WHERE u.x = 1",
			want: "t: write sets=a join=u_id=u.id needs=u_id,*\nu: equal=x join=id=t.u_id needs=b,id,x\n",
		},
		{
			name: "delete",
			sql:  "DELETE FROM t WHERE a < 5 LIMIT 1000",
			want: "t: write range=a needs=a,*\nblock 0: limited 1000\n",
		},
		{
			name: "delete of one of two tables",
			sql:  "DELETE x FROM t x JOIN u ON u.id = x.u_id WHERE u.k = 1",
			want: "t/x: write join=u_id=u.id needs=u_id,*\nu: equal=k join=id=x.u_id needs=id,k\n",
		},
		{
			name: "insert from a select",
			sql:  "INSERT INTO t (a, b) SELECT x, y FROM u WHERE z = 1 ON DUPLICATE KEY UPDATE a = VALUES(a)",
			want: "t: write\nu: block1 equal=z needs=x,y,z\n",
		},
		{
			name: "insert of values",
			sql:  "INSERT INTO `t` ( `a` , `d` ) VALUES ( ? , NOW ( ) ) , ( ? , NOW ( ) ) ",
			want: "t: write\n",
		},
		{
			name: "hints",
			sql:  "SELECT a FROM t USE INDEX (i1) IGNORE INDEX FOR ORDER BY (i2, PRIMARY) WHERE a = 1",
			want: "t: equal=a needs=a hinted=i1,i2,PRIMARY\n",
		},
		{
			name: "fulltext",
			sql:  "SELECT a FROM t WHERE MATCH(b, c) AGAINST ('x' IN BOOLEAN MODE) AND d = 1",
			want: "t: equal=d match=b,c needs=a,b,c,d\n",
		},
		{
			name: "a digest of MariaDB",
			sql:  "SELECT ID , `name` FROM EVENTS WHERE ID IN (?) AND `type` = - ? AND `at` >= NOW ( ) - INTERVAL ? SQL_TSI_DAY ORDER BY ID LIMIT ?, ... ",
			want: "EVENTS: equal=type in=ID(1) range=at order=ID needs=ID,name,type,at\nblock 0: ordered limited\n",

			catalog: shop,
		},
		{
			name: "a digest of MySQL",
			sql:  "EXECUTE SELECT `o` . `id` FROM `shop` . `orders` `o` WHERE `o` . `id` IN (...) AND SYSTEM_USER = ? FOR UPDATE SKIP LOCKED",
			want: "shop.orders/o: equal=user in=id(0) needs=id,user\n",
		},
		{
			name: "what MariaDB alone knows",
			sql:  "SET STATEMENT max_statement_time=1 FOR SELECT a FROM t FOR SYSTEM_TIME BETWEEN '2026-01-01' AND NOW() WHERE a = 1 ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY",
			want: "t: equal=a order=a needs=a\nblock 0: ordered limited 5\n",
		},
		{
			name: "EXCEPT and INTERSECT are branches",
			sql:  "SELECT a FROM t WHERE a = 1 EXCEPT SELECT a FROM u WHERE b = 1 INTERSECT ALL SELECT a FROM v",
			want: "t: equal=a needs=a\nu: block1 equal=b needs=a,b\nv: block2 needs=a\n",
		},
		{
			name: "laravel's queue",
			sql:  "select * from `jobs` where `queue` = 'default' and ((`reserved_at` is null and `available_at` <= 1) or (`reserved_at` <= 1)) order by `id` asc limit 1 for update skip locked",
			want: "jobs: equal=queue or!(null=reserved_at range=available_at | range=reserved_at) order=id needs=queue,reserved_at,available_at,id,*\nblock 0: ordered limited 1\n",
		},
		{
			name: "magento's attributes",
			sql:  "SELECT `t_d`.`attribute_id`, IF(t_s.value_id IS NULL, t_d.value, t_s.value) AS `value` FROM `catalog_product_entity_int` AS `t_d` LEFT JOIN `catalog_product_entity_int` AS `t_s` ON t_s.attribute_id = t_d.attribute_id AND t_s.entity_id = t_d.entity_id AND t_s.store_id = 1 WHERE (t_d.entity_id = '2046') AND (t_d.attribute_id IN ('73', '84')) AND (t_d.store_id = IFNULL(t_s.store_id, 0))",
			want: "catalog_product_entity_int/t_d: equal=entity_id in=attribute_id(2) join=store_id=t_s. needs=attribute_id,value,entity_id,store_id\n" +
				"catalog_product_entity_int/t_s: outer equal=store_id join=attribute_id=t_d.attribute_id join=entity_id=t_d.entity_id needs=value_id,value,attribute_id,entity_id,store_id\n",
		},
		{
			name: "no table",
			sql:  "SELECT 1, NOW()",
			want: "",
		},
		{
			name: "nothing to read",
			sql:  "COMMIT",
			want: "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			shape, err := Parse(test.sql, test.catalog)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, describe(shape)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestALiveTextTellsWhatIsComparedWithANumber(t *testing.T) {
	for text, want := range map[string][]string{
		"SELECT * FROM t WHERE a = 5 AND b = '5' AND c > -1.5 AND d IN (1, 'x') AND 7 = e": {"a", "c", "d", "e"},
		"SELECT * FROM t WHERE a = ? AND b = 'x' AND c = NULL":                             nil,
	} {
		s, err := Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, s.Tables[0].Number); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestCutTextsAreCutBackToWhatHolds(t *testing.T) {
	for _, test := range []struct{ sql, want string }{
		{"SELECT a FROM t WHERE a = 1 AND b = 2 AND c ...", "t: equal=a,b needs=a,b,*\npartial\n"},
		{"SELECT a FROM t WHERE a = 1 AND b BETWEEN 1 AND ...", "t: equal=a needs=a,*\npartial\n"},
		{"SELECT a FROM t WHERE a = 1 AND (b = 2 OR c = 3 ...", "t: equal=a needs=a,*\npartial\n"},
		{"SELECT a FROM t WHERE a = 1 OR b = 2 AND c ...", "t: needs=a,b,*\npartial\n"},
		{"SELECT a FROM t WHERE (a = 1 OR b = 2) AND c = 1 AND d ...", "t: equal=c needs=a,b,c,*\npartial\n"},
		{"SELECT a FROM t WHERE a = 1 ORDER BY b LIM…", "t: equal=a needs=a,*\npartial\n"},
		{"SELECT a FROM t JOIN (SELECT b FROM u WHERE u.c = 1 AND u.d ...", "t: needs=a,*\nu: equal=c needs=b,c,*\npartial\n"},
		{"SELECT a FROM t JOIN u ON u.x = t.x JOIN v ON v.x = ...", "t: join=x=u.x needs=x,*\nu: join=x=t.x needs=x,*\nv: needs=*\nunresolved 1\npartial\n"},
		{"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.x AND u.y = 1 AND ...", "t: needs=a,x,*\nu: block1 equal=y join^=x=t.x needs=x,y,*\nblock 1: in 0\npartial\n"},
		{"UPDATE t SET a = 1 WHERE b = 2 AND c = 'x", "t: write sets=a equal=b needs=b,*\npartial\n"},
	} {
		shape, err := Parse(test.sql, nil)
		if err != nil {
			t.Errorf("%s: %v", test.sql, err)
			continue
		}
		if diff := cmp.Diff(test.want, describe(shape)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.sql, diff)
		}
	}
}

func TestWhatIsNotUnderstoodIsAnError(t *testing.T) {
	for _, sql := range []string{
		"SELECT a, b, c ...",
		"SELECT FROM WHERE",
		"SELECT a FROM t WHERE a = = 1",
		"INSERT INTO",
		"SELECT " + strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000),
		"SELECT a FROM t WHERE a IN (" + strings.Repeat("b,", 50000) + "b)",
		"WITH a AS (SELECT 1 FROM t), " + doubling(20) + " SELECT * FROM a20",
	} {
		if shape, err := Parse(sql, nil); !errors.Is(err, ErrUnparsable) {
			t.Errorf("%.60q: shape %+v, error %v, want ErrUnparsable", sql, shape, err)
		}
	}
}

// doubling returns n common table expressions that each name the one before twice.
func doubling(n int) string {
	var parts []string
	before := "a"
	for i := range n {
		name := "a" + string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10))
		parts = append(parts, name+" AS (SELECT x.* FROM "+before+" x JOIN "+before+" y)")
		before = name
	}
	return strings.Join(parts, ", ")
}

func TestTheErrorQuotesNoStatement(t *testing.T) {
	_, err := Parse("SELECT a FROM t WHERE a = = 'secret'", nil)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}
