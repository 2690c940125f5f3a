<?php
// Waits for what the query says, and answers for how long by its own clock: truth for the sampler's tests.
// SQL carries the literal "marked-secret", which must appear nowhere.
$truth = [];
function timed(string $backend, callable $call): void {
    global $truth;
    $t = microtime(true);
    $call();
    $truth[$backend] = ($truth[$backend] ?? 0) + microtime(true) - $t;
}
class Catalog {
    function __construct(private PDO $db) {}
    function load(float $s, int $id) { return $this->db->query("SELECT SLEEP($s), $id, 'marked-secret'")->fetchAll(); }
    // emulated sends one statement n times, each time with the next of the values.
    function emulated(float $s, array $values, int $n) {
        for ($i = 0; $i < $n; $i++) {
            $q = $this->db->prepare("SELECT SLEEP(?), ? AS value");
            $q->bindValue(1, $s);
            $q->bindValue(2, $values[$i % count($values)]);
            $q->execute();
            $q->fetchAll();
        }
    }
    function prepared(float $s, int $id) {
        $this->db->setAttribute(PDO::ATTR_EMULATE_PREPARES, false);
        $q = $this->db->prepare("SELECT ? AS a, SLEEP(?) AS prepared");
        $q->execute([$id, $s]);
        $q->fetchAll();
    }
}
function with_lock(callable $work): void {
    $f = fopen(sys_get_temp_dir() . '/sess_marked-secret', 'c');
    timed('lock', fn () => flock($f, LOCK_EX));
    $work();
    flock($f, LOCK_UN);
}
function rate(string $url) { $c = curl_init($url); curl_setopt($c, CURLOPT_RETURNTRANSFER, true); curl_exec($c); }
$env = json_decode(file_get_contents(__DIR__ . '/env.json'), true);
parse_str($_SERVER['QUERY_STRING'], $ask);
$id = random_int(1, 1 << 30);
if (isset($ask['pdo']) || isset($ask['prepared'])) {
    timed('mysql', function () use ($env) { global $catalog; $catalog = new Catalog(new PDO($env['pdo'], $env['user'], $env['user'])); });
}
if (isset($ask['identical']) || isset($ask['different'])) {
    $catalog = new Catalog(new PDO($env['tcp'], $env['user'], $env['user']));
}
foreach ($ask as $what => $ms) {
    $s = (float) $ms / 1000;
    match ($what) {
        'pdo' => timed('mysql', fn () => $catalog->load($s, $id)),
        'prepared' => timed('mysql', fn () => $catalog->prepared($s, $id)),
        'identical' => timed('mysql', fn () => $catalog->emulated($s, ['marked-secret'], 6)),
        'different' => timed('mysql', fn () => $catalog->emulated($s, range(1, 6), 6)),
        'mysqli' => timed('mysql', function () use ($env, $s, $id) {
            $m = mysqli_connect('localhost', $env['user'], $env['user'], '', 0, $env['socket']);
            mysqli_query($m, "SELECT $id, SLEEP($s), 'marked-secret' AS procedural");
        }),
        'stmt' => timed('mysql', function () use ($env, $s, $id) {
            mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT | MYSQLI_REPORT_INDEX);
            $m = mysqli_connect('localhost', $env['user'], $env['user'], '', 0, $env['socket']);
            $q = $m->prepare('SELECT ? AS b, SLEEP(?) AS statement');
            $q->bind_param('id', $id, $s);
            $q->execute();
            $q->get_result();
        }),
        'redis' => timed('redis', function () use ($env, $s) {
            $r = new Redis();
            $r->connect($env['redis']);
            $r->rawCommand('BLPOP', 'nothing', (string) $s);
        }),
        'http' => timed('http', fn () => rate($env['http'] . "/$ms")),
        'search' => timed('search', fn () => rate($env['search'] . "/$ms")),
        'sleep' => timed('sleep', fn () => usleep((int) ($s * 1e6))),
        'cpu' => timed('cpu', function () use ($s) { $t = microtime(true); while (microtime(true) - $t < $s) { } }),
        'lock' => with_lock(fn () => timed('sleep', fn () => usleep((int) ($s * 1e6)))),
        'child' => timed('child', fn () => shell_exec("sleep $s")),
        default => null,
    };
}
$truth['busy'] = microtime(true) - $_SERVER['REQUEST_TIME_FLOAT'];
header('Content-Type: application/json');
echo json_encode($truth);
