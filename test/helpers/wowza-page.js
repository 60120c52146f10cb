/**
 * Runs in the browser, beside rtc-page.js: publishes and plays as pages written for Wowza do, in both dialects. Addresses are those of
 * the WebSocket. Replies are handed back as they came.
 */
globalThis.wowza = (() => {
  const OK = 200;

  const opened = (url) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error('the socket does not open'));
    });

  /** Says `message`, and takes what comes next for the answer. */
  const ask = (socket, message) =>
    new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(JSON.parse(data));
      socket.onclose = ({ reason }) => reject(new Error(`the socket closes instead of an answer: ${reason}`));
      socket.send(JSON.stringify(message));
    });

  /**
   * Of each section only `codec` is left, at another place, behind lines on bitrate that end in LF alone, with a second `fmtp`; sources
   * of what was left out stay.
   */
  function munged(sdp, codecs, bitrates) {
    const sections = sdp.split(/(?=^m=)/m);
    return sections.map((section) => mungedSection(section, codecs, bitrates)).join('');
  }

  function mungedSection(section, codecs, bitrates) {
    const [, kind] = /^m=(\w+)/.exec(section) ?? [];
    if (kind === undefined) return section;
    const type = payloadType(section, codecs[kind]);
    const of = (name) => section.match(new RegExp(`^a=${name}:${type} .*\r\n`, 'gm')) ?? [];
    const google = `x-google-min-bitrate=${bitrates[kind]};x-google-max-bitrate=${bitrates[kind]}`;
    const codec = [...of('rtpmap'), `a=fmtp:${type} ${google}\r\n`, ...of('rtcp-fb'), ...of('fmtp')].join('');
    const rates = `b=CT:${bitrates[kind]}\nb=AS:${bitrates[kind]}\n${kind === 'video' ? 'a=framerate:30\r\n' : ''}`;
    return section
      .replace(/^(m=\w+ \d+ \S+) .*$/m, `$1 ${type}`)
      .replace(/^a=(rtpmap|fmtp|rtcp-fb):.*\r\n/gm, '')
      .replace(/^a=mid:.*\r\n/m, (line) => line + rates)
      .replace(kind === 'video' ? /^a=rtcp-rsize\r\n/m : /^a=rtcp-mux\r\n/m, (line) => line + codec);
  }

  /** Of the first format of this name that the vendor's pages would take. */
  function payloadType(section, codec) {
    const types = [...section.matchAll(new RegExp(`^a=rtpmap:(\\d+) ${codec}/`, 'gim'))].map(([, type]) => type);
    if (codec !== 'H264') return types[0];
    return types.find((type) => new RegExp(`^a=fmtp:${type} .*packetization-mode=1;profile-level-id=42e01f`, 'm').test(section));
  }

  const constrained = (sdp) => sdp.replace(/profile-level-id=[0-9a-f]{6}/gi, 'profile-level-id=42e01f');

  const streamInfo = (applicationName, streamName, sessionId = '[empty]') => ({ applicationName, streamName, sessionId });
  const userData = { param1: 'value1', videowhisper: 'webrtc-broadcast' };

  /** The socket is closed on the very first reply. */
  async function publish(url, app, stream, { codec = 'H264', bitrate = 900, ...media } = {}) {
    const pc = await globalThis.rtc.camera(media);
    const { sdp } = await pc.createOffer();
    const offer = munged(sdp, { audio: 'opus', video: codec }, { audio: 64, video: bitrate });
    await pc.setLocalDescription({ type: 'offer', sdp: offer });
    const socket = await opened(url);
    const message = { direction: 'publish', command: 'sendOffer', streamInfo: streamInfo(app, stream), userData };
    const reply = await ask(socket, { ...message, sdp: { type: 'offer', sdp: offer } });
    socket.close();
    if (reply.status === OK) {
      await pc.setRemoteDescription(reply.sdp);
      for (const candidate of reply.iceCandidates) await pc.addIceCandidate(new RTCIceCandidate(candidate));
      await globalThis.rtc.connected(pc);
    }
    return { ...reply, offer };
  }

  /** The socket is closed as soon as the answer is acknowledged. */
  async function play(url, app, stream, { user } = {}) {
    const pc = globalThis.rtc.screen();
    const socket = await opened(url);
    const info = { ...streamInfo(app, stream), ...(user && { userName: user }) };
    const message = { direction: 'play', userData: user ? { ...userData, videowhisper: 'webrtc-playback' } : {} };
    const offered = await ask(socket, { ...message, command: 'getOffer', streamInfo: info, secureToken: null });
    if (offered.status !== OK) {
      socket.close();
      return offered;
    }
    await pc.setRemoteDescription({ type: 'offer', sdp: constrained(offered.sdp.sdp) });
    const answer = await pc.createAnswer();
    const sdp = constrained(answer.sdp);
    await pc.setLocalDescription({ type: 'answer', sdp });
    const told = { ...message, command: 'sendResponse', streamInfo: offered.streamInfo, sdp: { type: 'answer', sdp } };
    const reply = await ask(socket, told);
    socket.close();
    for (const candidate of reply.iceCandidates) await pc.addIceCandidate(new RTCIceCandidate(candidate));
    await globalThis.rtc.connected(pc);
    return reply;
  }

  /** One question on a socket of its own. */
  async function available(url, app, stream, direction = 'play') {
    const socket = await opened(url);
    const message = { direction, command: 'getAvailableStreams', streamInfo: streamInfo(app, stream), userData: {} };
    const reply = await ask(socket, message);
    socket.close();
    return reply;
  }

  /** The second dialect, by the socket of this page and direction, which stays. */
  async function v2(which, url, app, stream, options = {}) {
    const publishing = which === 'publisher';
    const pc = publishing ? await globalThis.rtc.camera(options) : globalThis.rtc.receiver(options.codec);
    const socket = await opened(`${url}?webrtcImplementation=v2`);
    const action = publishing ? 'PUBLISH' : 'VIEW';
    await pc.setLocalDescription();
    const names = { action, applicationName: app, streamName: stream, connectionId: '[empty]' };
    const reply = await ask(socket, { messageType: 'OFFER', ...names, sdp: pc.localDescription.sdp });
    if (reply.statusCode !== OK) {
      socket.close();
      return { ...reply, candidates: [] };
    }
    const { connectionId, sdp } = reply.message;
    const candidates = [];
    socket.onmessage = ({ data }) => {
      const { messageType, candidate } = JSON.parse(data);
      candidates.push({ messageType, candidate });
      pc.addIceCandidate({ candidate, sdpMid: '0' });
    };
    const tell = (candidate) => {
      socket.send(JSON.stringify({ messageType: 'CANDIDATE', ...names, connectionId, candidate }));
    };
    tell('candidate:1 1 udp 2113937151 198.51.100.7 9 typ host');
    tell('');
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await globalThis.rtc.connected(pc);
    sockets.set(which, { socket, connectionId });
    return { ...reply, candidates };
  }

  const sockets = new Map();

  /** ICE begins anew, by a whole offer on the socket of `v2`. */
  async function restart(which) {
    const { socket, connectionId } = sockets.get(which);
    const pc = globalThis[which];
    pc.restartIce();
    await pc.setLocalDescription();
    const reply = await ask(socket, { messageType: 'ICE_RESTART', connectionId, sdp: pc.localDescription.sdp });
    if (reply.statusCode === OK) await pc.setRemoteDescription({ type: 'answer', sdp: reply.message.sdp });
    return reply;
  }

  /** Waits for the end of the socket of `v2`; why it was closed. */
  function ended(which) {
    const { socket } = sockets.get(which);
    return new Promise((resolve) => {
      if (socket.readyState === WebSocket.CLOSED) resolve('');
      socket.onclose = ({ reason }) => resolve(reason);
    });
  }

  return { publish, play, available, v2, restart, ended };
})();
