<?php
/*
 * What WordPress does to text on its way in and out, as far as session control meets it; written from its observed behaviour.
 */

/** A posted text area: nothing at all of invalid UTF-8, no tags, no percent codes. */
function cleaned_field(string $text): string
{
    if (preg_match('//u', $text) !== 1) {
        return '';
    }
    if (str_contains($text, '<')) {
        $closed = preg_replace_callback('/<[^<>]*(>?)/', fn ($m) => $m[1] === '' ? '&lt;' . substr($m[0], 1) : $m[0], $text);
        $text = strip_tags(preg_replace('~<(script|style)\b.*?</\1\s*>~is', '', $closed));
    }
    $text = trim($text);
    $before = $text;
    do {
        $text = preg_replace('/%[0-9a-f]{2}/i', '', $text, -1, $removed);
    } while ($removed > 0);
    return $text === $before ? $text : trim(preg_replace('/ {2,}/', ' ', $text));
}

/** What is posted reaches a plugin with slashes, which it takes away again. */
function received_field(string $name): string
{
    return stripslashes(cleaned_field(addslashes($_POST[$name] ?? '')));
}

/** Text that is sent out as HTML of a post: ampersands that start no entity, and lone angle brackets, become entities. */
function escaped_answer(string $text): string
{
    $text = preg_replace('/&(?!(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});)/i', '&amp;', $text);
    $text = preg_replace('~</?(?:script|style|iframe|form|input)\b[^<>]*>~i', '', $text);
    $pieces = preg_split('~(</?[a-z][^<>]*>)~i', $text, -1, PREG_SPLIT_DELIM_CAPTURE);
    foreach ($pieces as $place => $piece) {
        if ($place % 2 === 0) {
            $pieces[$place] = strtr($piece, ['<' => '&lt;', '>' => '&gt;']);
        }
    }
    return implode('', $pieces);
}

/** The name of a file. */
function file_name_of(string $text): string
{
    $text = strtr($text, ['é' => 'e', 'ü' => 'u', 'ß' => 's', 'ø' => 'o', "\u{a0}" => ' ']);
    $text = str_replace(str_split('?[]/\\=<>:;,\'"&$#*()|~`!{}%+' . "\0"), '', $text);
    $text = str_replace(['’', '«', '»', '”', '“'], '', $text);
    $text = trim(preg_replace('/[\s-]+/', '-', preg_replace('/\.{2,}/', '.', $text)), '.-_');
    $parts = explode('.', $text);
    for ($inner = 1; $inner < count($parts) - 1; $inner++) {
        if (preg_match('/^[a-z]{2,5}\d?$/i', $parts[$inner])) {
            $parts[$inner] .= '_';
        }
    }
    return implode('.', $parts);
}
