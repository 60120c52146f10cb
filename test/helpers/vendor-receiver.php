<?php
/*
 * A model of the vendor's receiver, faults included: the three tasks of session control as its WordPress plugin serves them.
 *
 * One directory (environment VENDOR_STATE) holds everything: settings.json, written by the test and read at each request;
 * sessions/, one file for each login; calls.log, a JSON line for each call.
 */

require __DIR__ . '/wordpress-text.php';

const STATE_DEFAULTS = [
    'webKey' => 'VideoWhisper',   // the secret
    'channels' => [],             // name => ['post' => number, 'owner' => number]
    'disconnect' => [],           // session, or number of an RTP session => text
    'webStatus' => 'enabled',     // or: empty (says nothing), denied (says why)
    'filter' => true,             // answers go through the HTML filter
    'warning' => 'none',          // PHP's warnings: front, behind
    'lengths' => 0,               // added to the length of each text of an order
    'viewerKeyLost' => true,      // viewers are answered under the key ''
    'encodeOrders' => 'no',       // url: the text alone; list: the whole list
    'cut' => 0,                   // bytes cut off the end of an answer
    'delay' => 0,                 // milliseconds before an answer
    'status' => 200,
];

$state = getenv('VENDOR_STATE');
$settings = [...STATE_DEFAULTS, ...json_decode(file_get_contents("$state/settings.json"), true)];

$task = $_GET['task'] ?? '';
$tasks = ['rtmp_login' => login(...), 'rtmp_logout' => logout(...), 'rtmp_status' => status(...)];
if (!isset($tasks[$task])) {
    echo '0';
    return;
}
$call = ['task' => $task, 'query' => $_SERVER['QUERY_STRING'], 'address' => $_SERVER['REMOTE_ADDR'], 'began' => microtime(true)];
usleep($settings['delay'] * 1000);
http_response_code($settings['status']);
$answer = $tasks[$task]($settings, "$state/sessions", $call);
$warning = "<br />\n<b>Warning</b>:  Undefined array key 5 in <b>/var/www/plugin.php</b> on line <b>9170</b><br />\n";
$answer = ($settings['warning'] === 'front' ? $warning : '') . $answer . ($settings['warning'] === 'behind' ? $warning : '');
echo substr($answer, 0, strlen($answer) - $settings['cut']);
file_put_contents("$state/calls.log", json_encode([...$call, 'ended' => microtime(true)]) . "\n", FILE_APPEND | LOCK_EX);

/** A right key is remembered in a file under the cleaned name, and the answer is what the file under the given name says. */
function login(array $settings, string $sessions, array &$call): string
{
    $session = $_GET['s'] ?? '';
    $values = $_GET['p'] ?? null;
    if ($session === '' || $values === null) {
        return 'missing';
    }
    if (!is_array($values)) {
        return 'VideoWhisper=1&login=0';
    }
    $call['p'] = $values;
    [$name, $room, $key, $broadcaster, $user] = $values + ['', '', '', '', ''];
    $publishes = $broadcaster === '1' || $broadcaster === 'true';
    $channel = $settings['channels'][$room] ?? null;
    $secret = 'vw' . $settings['webKey'] . ($publishes ? $user : '') . ($channel['post'] ?? '');
    $verified = $channel !== null && hash_equals(md5($secret), $key) && (!$publishes || (int) $user === $channel['owner']);
    if ($verified && !file_exists("$sessions/" . basename($session))) {
        $line = 'VideoWhisper=1&login=1&webKey=' . urlencode($settings['webKey']) . '&start=' . time()
            . '&ip=' . urlencode($values[5]) . '&canKick=0&debug=' . ($publishes ? '&role=1' : '');
        file_put_contents("$sessions/" . file_name_of($session), cleaned_field($line));
    }
    $file = "$sessions/" . basename($session);
    $answer = is_file($file)
        ? file_get_contents($file)
        : "VideoWhisper=1&login=0&missingSession=$session&invalid=0&verified=" . (int) $verified
            . '&wrongKey=' . (int) !$verified . "&k=$key&p=" . count($values);
    return $answer . "\t\t\t\t\t";
}

function logout(array $settings, string $sessions, array &$call): string
{
    $session = $_GET['s'] ?? '';
    if ($session === '') {
        return '';
    }
    $file = "$sessions/" . basename($session);
    return 'logout=' . (is_file($file) && unlink($file) ? '1' : '') . "\n\t\t\t";
}

/** A list that cannot be read ends the request with a fault, as PHP 8 does. */
function status(array $settings, string $sessions, array &$call): string
{
    if ($settings['webStatus'] !== 'enabled') {
        return $settings['webStatus'] === 'empty' ? '' : 'VideoWhisper=1&denied=NotFromAllowedIP-' . $_SERVER['REMOTE_ADDR'];
    }
    $plain = ['allowed_classes' => false];
    $users = @unserialize(received_field('users'), $plain);
    $call += ['users' => $users, 'rtpsessions' => @unserialize(received_field('rtpsessions'), $plain)];
    $call += ['aS' => @unserialize(received_field('aS'), $plain), 'bytes' => array_map(strlen(...), $_POST)];
    if (!is_array($users)) {
        http_response_code(500);
        return '<br /><b>Fatal error</b>: Uncaught TypeError: count(): Argument #1 must be of type Countable|array, bool given';
    }
    $orders = [];
    foreach ($users as $user) {
        $publishes = $user['role'] === '1';
        $key = $publishes || !$settings['viewerKeyLost'] ? $user['session'] : '';
        $orders[$key] = order($settings, $user['session'], $user['rooms'], $publishes ? '2' : null);
    }
    $rtpOrders = [];
    foreach ($call['rtpsessions'] ?: [] as $session) {
        $rtpOrders[$session['sessionId']] = order($settings, $session['sessionId'], $session['streamName'], null);
    }
    $lists = '&controlUsers=' . written($settings, $orders) . '&controlSessions=' . written($settings, $rtpOrders);
    return 'VideoWhisper=1&usersCount=' . count($users) . ($settings['filter'] ? escaped_answer($lists) . "\n\t\t" : $lists);
}

function order(array $settings, string $session, string $room, ?string $type): array
{
    $text = $settings['disconnect'][$session] ?? '';
    $text = $settings['encodeOrders'] === 'url' ? urlencode($text) : $text;
    return ['disconnect' => $text, 'session' => $session, 'dS' => 0, 'type' => $type, 'room' => $room, 'username' => null];
}

function written(array $settings, array $orders): string
{
    $wrong = fn (array $match) => $match[1] . ($match[2] + $settings['lengths']) . $match[3];
    $text = preg_replace_callback('/("disconnect";s:)(\d+)(:"[^"])/', $wrong, serialize($orders));
    return $settings['encodeOrders'] === 'list' ? urlencode($text) : $text;
}
