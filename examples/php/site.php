<?php
/*
 * A web site that decides who publishes and who watches on a castgate server. One file, no database, PHP 8.1 or newer.
 *
 * 1. Put this file on your web server, set WEB_KEY and DATA below (or SITE_WEB_KEY and SITE_DATA in the environment of PHP).
 * 2. Tell castgate, in its configuration:
 *
 *      applications:
 *        live:
 *          webKey:    "the same WEB_KEY"
 *          webLogin:  "https://example.org/site.php?task=rtmp_login&s="
 *          webLogout: "https://example.org/site.php?task=rtmp_logout&s="
 *          webStatus: "https://example.org/site.php?task=rtmp_status"
 *
 * 3. Hand out addresses, see who is there, send somebody away; as the user that your web server runs as:
 *
 *      php site.php broadcaster bob lobby     an address for OBS or ffmpeg
 *      php site.php viewer eve lobby          an address for a player
 *      php site.php online                    who was there at the last report
 *      php site.php kick eve "That was enough for today"
 *      php site.php pardon eve
 *
 * What is asked and answered, byte by byte: docs/session-control.md.
 */
declare(strict_types=1);

/** The secret shared with castgate; it also signs the addresses. Long, random, nobody else's. */
define('WEB_KEY', getenv('SITE_WEB_KEY') ?: '');
/** Where this script keeps its files: writable for PHP, not reachable from the web. */
define('DATA', getenv('SITE_DATA') ?: '/var/lib/castgate-site');
/** Castgate's addresses, as this web server sees them. Nobody else may call the three tasks. */
define('SERVERS', explode(',', getenv('SITE_SERVERS') ?: '127.0.0.1,::1'));
/** What an address starts with. */
define('MEDIA_SERVER', getenv('SITE_MEDIA_SERVER') ?: 'rtmp://localhost/live');

/** How long an address can be used to come in. Who is in may stay. */
const ADDRESS_HOURS = 12;
/** Viewers are sent away after so many minutes; 0: never. */
const VIEWER_MINUTES = 0;

if (strlen(WEB_KEY) < 12) {
    http_response_code(500);
    exit('Set WEB_KEY to a secret of at least 12 characters first.');
}
foreach (['', '/sessions'] as $folder) {
    if (!is_dir(DATA . $folder)) {
        mkdir(DATA . $folder, 0700, true);
    }
}
if (PHP_SAPI === 'cli') {
    exit(command_line($argv));
}

header('Content-Type: text/plain; charset=utf-8');
header('Cache-Control: no-store');
if (!in_array($_SERVER['REMOTE_ADDR'], SERVERS, true)) {
    http_response_code(403);
    exit('denied=This address is not on the list of servers');
}
echo match (text_of($_GET, 'task')) {
    'rtmp_login' => login(text_of($_GET, 's'), $_GET['p'] ?? null),
    'rtmp_logout' => logout(text_of($_GET, 's')),
    'rtmp_status' => status(),
    default => 'denied=No such task',
};

/* -- The three tasks -------------------------------------------------------------------------------------------------------- */

/** May somebody come in? $p: session, room, key, broadcaster, broadcaster's id, address of the client. */
function login(string $s, mixed $p): string
{
    [$session, $room, $key, $broadcaster, , $ip] = array_map(text(...), array_values((array) $p)) + array_fill(0, 6, '');
    $role = in_array($broadcaster, ['1', 'true'], true) ? 'broadcaster' : 'viewer';
    if ($s === '' || $session === '' || !key_fits($key, $role, $session, $room) || isset(kicks()[$session])) {
        return 'VideoWhisper=1&login=0';
    }
    save(session_file($s), ['session' => $session, 'room' => $room, 'role' => $role, 'ip' => $ip, 'since' => time()]);

    return 'VideoWhisper=1&login=1&webKey=' . urlencode(WEB_KEY) . '&canKick=0' . ($role === 'broadcaster' ? '&role=1' : '');
}

/** The last connection of a session has ended. Castgate repeats this until it is answered, so it may come twice. */
function logout(string $s): string
{
    return 'logout=' . (int) ($s !== '' && is_file(session_file($s)) && unlink(session_file($s)));
}

/** Who is there, every ten seconds; the answer names those who have to go. Nobody is sent away by being left out. */
function status(): string
{
    $report = ['users' => reported_list('users'), 'rtpsessions' => reported_list('rtpsessions'), 'aS' => reported_list('aS')];
    if (in_array(null, $report, true)) {
        return 'VideoWhisper=1&denied=The report cannot be read';
    }
    save(DATA . '/online.json', ['time' => time(), ...$report]);

    $kicks = kicks();
    $users = [];
    foreach ($report['users'] as $name => $user) {
        $reason = $kicks[$user['session']] ?? reason_of_time($user['role'] === '1', $user['runSeconds']);
        if ($reason !== '') {
            $users[$name] = ['session' => $user['session'], 'disconnect' => $reason];
        }
    }
    $sessions = [];
    foreach ($report['rtpsessions'] as $id => $session) {
        $reason = $kicks[$session['streamName']] ?? reason_of_time($session['streamPublish'] === 'true', $session['runSeconds']);
        if ($reason !== '') {
            $sessions[$id] = ['session' => $session['sessionId'], 'disconnect' => $reason];
        }
    }
    $count = count($report['users']);

    return "VideoWhisper=1&usersCount=$count&controlUsers=" . serialize($users) . '&controlSessions=' . serialize($sessions);
}

/* -- What they are made of ---------------------------------------------------------------------------------------------------- */

/** An address says until when it is good, and carries a signature over that, the role, the session and the room. */
function make_key(int $until, string $role, string $session, string $room): string
{
    return $until . '-' . substr(hash_hmac('sha256', "$until\n$role\n$session\n$room", WEB_KEY), 0, 32);
}

function key_fits(string $key, string $role, string $session, string $room): bool
{
    $until = (int) $key;

    return $until >= time() && hash_equals(make_key($until, $role, $session, $room), $key);
}

function address(string $role, string $session, string $room): string
{
    $key = make_key(time() + ADDRESS_HOURS * 3600, $role, $session, $room);
    $values = [$session, $room, $key, $role === 'broadcaster' ? '1' : '0', '0'];

    return MEDIA_SERVER . '?' . implode('&', array_map(urlencode(...), $values)) . '&videowhisper';
}

function reason_of_time(bool $publishes, int $seconds): string
{
    return VIEWER_MINUTES > 0 && !$publishes && $seconds > VIEWER_MINUTES * 60 ? 'Your time is over' : '';
}

/** A posted list; null when it is none. Never let unserialize make objects of what came over the network. */
function reported_list(string $field): ?array
{
    $list = @unserialize(text_of($_POST, $field), ['allowed_classes' => false, 'max_depth' => 4]);

    return is_array($list) ? $list : null;
}

/** Session name => what it is told. */
function kicks(): array
{
    return load(DATA . '/kicks.json');
}

/** Names come from outside: never a part of a path. */
function session_file(string $s): string
{
    return DATA . '/sessions/' . sha1($s) . '.json';
}

function text_of(array $values, string $name): string
{
    return text($values[$name] ?? '');
}

function text(mixed $value): string
{
    return is_string($value) ? $value : '';
}

function load(string $file): array
{
    return is_file($file) ? json_decode(file_get_contents($file), true) ?? [] : [];
}

/** Whole or not at all: readers never meet half a file. */
function save(string $file, array $values): void
{
    $part = $file . '.' . bin2hex(random_bytes(6));
    file_put_contents($part, json_encode($values, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
    rename($part, $file);
}

function command_line(array $arguments): int
{
    [, $command, $name, $detail] = $arguments + ['', '', '', ''];
    switch ($command) {
        case 'broadcaster':
        case 'viewer':
            if ($name === '' || $detail === '') {
                break;
            }
            echo address($command, $name, $detail), "\n";
            return 0;
        case 'online':
            foreach (['users', 'rtpsessions'] as $list) {
                foreach (load(DATA . '/online.json')[$list] ?? [] as $key => $row) {
                    echo $list, ' ', $key, ' ', json_encode($row, JSON_UNESCAPED_UNICODE), "\n";
                }
            }
            return 0;
        case 'kick':
        case 'pardon':
            if ($name === '') {
                break;
            }
            $kicks = kicks();
            unset($kicks[$name]);
            if ($command === 'kick') {
                $kicks[$name] = $detail ?: 'Disconnected by the site';
            }
            save(DATA . '/kicks.json', $kicks);
            return 0;
    }
    fwrite(STDERR, "usage: php site.php broadcaster|viewer SESSION ROOM | online | kick SESSION [TEXT] | pardon SESSION\n");
    return 2;
}
