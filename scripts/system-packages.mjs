/**
 * Programs that the tests use and that npm cannot install, by their Debian packages. A test that needs one more adds it here.
 */

/** @type {readonly { readonly package: string, readonly command: string, readonly optional?: boolean }[]} */
export const SYSTEM_PACKAGES = [
  { package: 'ffmpeg', command: 'ffmpeg' },
  { package: 'php-cli', command: 'php' },
];
