<?php

// Plugin Name: Truth
// Writes down each request with its statements by PHP's own clock, as the shop does, and sends some that hold
// secrets.

add_action('init', 'truth_ask');
register_shutdown_function('truth_write');

function truth_ask()
{
    global $wpdb;
    $wpdb->get_var("SELECT SLEEP(0.03), 'marked-secret' AS literal /* marked-secret */");
    $wpdb->get_var($wpdb->prepare("SELECT COUNT(*) FROM {$wpdb->users} WHERE user_pass = %s OR user_email = \"marked-secret\"", 'marked-secret'));
}

function truth_write()
{
    global $wpdb;
    $began = $_SERVER['REQUEST_TIME_FLOAT'];
    $calls = [];
    foreach ($wpdb->queries as [$text, $seconds, , $start]) {
        $calls[] = ['backend' => 'mysql', 'text' => $text, 'began' => $start, 'seconds' => $seconds];
    }
    // What wpdb sends by itself when it connects is not among its queries.
    $first = $calls[0]['began'] ?? microtime(true);
    foreach (['SELECT @@SESSION.sql_mode', "SET SESSION sql_mode=''", "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'"] as $text) {
        $calls[] = ['backend' => 'mysql', 'text' => $text, 'began' => $began, 'seconds' => $first - $began, 'function' => 'connect'];
    }
    file_put_contents('@truth', json_encode([
        'pid' => getmypid(), 'method' => $_SERVER['REQUEST_METHOD'], 'uri' => $_SERVER['REQUEST_URI'],
        'began' => $began, 'ended' => microtime(true), 'calls' => $calls,
    ], JSON_INVALID_UTF8_SUBSTITUTE) . "\n", FILE_APPEND);
}
