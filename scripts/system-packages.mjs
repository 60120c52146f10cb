/**
 * Programs that the tests use and that npm cannot install, by their Debian packages. A test that needs one more adds it here.
 */

/**
 * Each with what it is wanted for: a command, or a library. The optional ones may be missing; the tests that use them say so.
 *
 * @type {readonly { readonly package: string, readonly command?: string, readonly library?: string, readonly optional?: boolean }[]}
 */
export const SYSTEM_PACKAGES = [
  { package: 'ffmpeg', command: 'ffmpeg' },
  { package: 'php-cli', command: 'php' },
  { package: 'rtmpdump', command: 'rtmpdump' },
  { package: 'chromium', command: 'chromium' },
  { package: 'python3-aiortc', library: 'python3/dist-packages/aiortc/__init__.py' },
  // rtmp2sink and rtmp2src are among the bad plugins, flvmux among the good ones
  { package: 'gstreamer1.0-tools', command: 'gst-launch-1.0', optional: true },
  { package: 'gstreamer1.0-plugins-good', library: 'gstreamer-1.0/libgstflv.so', optional: true },
  { package: 'gstreamer1.0-plugins-bad', library: 'gstreamer-1.0/libgstrtmp2.so', optional: true },
];
