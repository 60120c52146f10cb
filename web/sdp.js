// @ts-check
/**
 * The few things that are read from and written into session descriptions.
 */

/**
 * Offers to play two channels: without it browsers mix them into one.
 * @param {string} offer
 */
export function withStereo(offer) {
  const [, opus] = /^a=rtpmap:(\d+) opus\/48000\/2/im.exec(offer) ?? [];
  if (opus === undefined) return offer;
  return offer.replace(new RegExp(`^(a=fmtp:${opus} (?!.*\\bstereo=).*?)(\\r?)$`, 'm'), '$1;stereo=1$2');
}

/**
 * Lets a browser made by Google begin with more than 300 kbit/s; the others pass over it.
 * @param {string} answer
 * @param {number} bitrate bits a second
 */
export function withStartBitrate(answer, bitrate) {
  const parameter = `x-google-start-bitrate=${Math.round(bitrate / 1_000)}`;
  return answer.replace(
    /^a=rtpmap:(\d+) (?:H264|H265|VP8|VP9|AV1)\/90000(\r?\n)(a=fmtp:\1 )?/gim,
    (line, type, end, fmtp) =>
      fmtp === undefined ? `${line}a=fmtp:${type} ${parameter}${end}` : `${line}${parameter};`,
  );
}

/**
 * What a restart of ICE sends: the new credentials (RFC 9725, section 4.3.2).
 * @param {string} offer
 */
export function restartFragment(offer) {
  const line = (/** @type {RegExp} */ pattern) => pattern.exec(offer)?.[0].trim() ?? '';
  return [
    line(/^a=ice-ufrag:.*$/m),
    line(/^a=ice-pwd:.*$/m),
    line(/^m=.*$/m),
    line(/^a=mid:.*$/m),
    'a=end-of-candidates',
    '',
  ].join('\r\n');
}

/**
 * The first answer again, with the credentials of `fragment`.
 * @param {string} answer
 * @param {string} fragment
 */
export function restartedAnswer(answer, fragment) {
  let restarted = answer;
  for (const name of ['ice-ufrag', 'ice-pwd']) {
    const [line] = new RegExp(`^a=${name}:[^\\r\\n]*`, 'm').exec(fragment) ?? [];
    if (line === undefined) throw new Error(`the answer to the restart has no ${name}`);
    restarted = restarted.replace(new RegExp(`^a=${name}:[^\\r\\n]*`, 'gm'), () => line);
  }
  return restarted;
}

/**
 * ICE servers that a WHIP or WHEP server names (RFC 9725, section 4.6).
 * @param {string | null} header
 * @returns {RTCIceServer[]}
 */
export function iceServers(header) {
  return [...(header ?? '').matchAll(/<((?:stuns?|turns?):[^>]+)>([^<]*)/gi)]
    .filter(([, , parameters]) => /\brel="?ice-server"?/i.test(parameters ?? ''))
    .map(([, url, parameters]) => {
      const value = (/** @type {string} */ name) => new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(parameters ?? '')?.[1];
      const [username, credential] = [value('username'), value('credential')];
      return { urls: url ?? '', ...(username && { username }), ...(credential && { credential }) };
    });
}

/**
 * Codecs in the order in which they are offered: the wanted one first, then what RTMP players show, too. As servers may have a taste of
 * their own for H.264, it is left out when another one is wanted and there.
 * @template {{ readonly mimeType: string, readonly sdpFmtpLine?: string | undefined }} T
 * @param {readonly T[]} codecs
 * @param {string} wanted such as `h264`
 * @returns {T[]}
 */
export function orderedCodecs(codecs, wanted) {
  const order = [wanted.toLowerCase(), 'h264', 'vp8', 'vp9', 'av1', 'h265'];
  const rank = (/** @type {T} */ { mimeType, sdpFmtpLine = '' }) => {
    const at = order.indexOf(mimeType.toLowerCase().replace('video/', ''));
    // of several H.264 the one that all players know
    const profile = /packetization-mode=1/.test(sdpFmtpLine) ? (/profile-level-id=42e0/i.test(sdpFmtpLine) ? 0 : 1) : 2;
    return (at < 0 ? order.length : at) * 3 + profile;
  };
  const named =
    (/** @type {string} */ name) =>
    (/** @type {T} */ { mimeType }) =>
      mimeType.toLowerCase() === `video/${name.toLowerCase()}`;
  const others = wanted.toLowerCase() !== 'h264' && codecs.some(named(wanted));
  return codecs.filter((codec) => !(others && named('h264')(codec))).sort((a, b) => rank(a) - rank(b));
}
