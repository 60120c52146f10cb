/**
 * Runs in the browser: publishes and watches by WHIP and WHEP with nothing but what browsers have.
 */
globalThis.rtc = (() => {
  const gathered = (pc) =>
    new Promise((resolve) => {
      if (pc.iceGatheringState === 'complete') resolve();
      pc.addEventListener('icegatheringstatechange', () => pc.iceGatheringState === 'complete' && resolve());
    });

  const connected = (pc) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (pc.connectionState === 'connected') resolve();
        if (pc.connectionState === 'failed') reject(new Error('connection failed'));
      };
      pc.addEventListener('connectionstatechange', look);
      look();
    });

  /**
   * Sends the offer as it is, or when all candidates are known; answers the session's address. `rewrites`: pairs of a pattern and what
   * stands in its place in the answer.
   */
  async function signal(pc, url, { token, complete = false, rewrites = [] } = {}) {
    await pc.setLocalDescription();
    if (complete) await gathered(pc);
    const headers = { 'content-type': 'application/sdp', ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(url, { method: 'POST', headers, body: pc.localDescription.sdp });
    const text = await response.text();
    if (response.status !== 201) return { status: response.status, problem: text, location: '', answer: '' };
    const sdp = rewrites.reduce((rest, [pattern, by]) => rest.replace(new RegExp(pattern, 'g'), by), text);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    const location = new URL(response.headers.get('location'), response.url).href;
    return { status: 201, problem: '', location, answer: text };
  }

  function prefer(transceiver, codec) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    const wanted = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`);
    const rtx = codecs.filter(({ mimeType }) => mimeType === 'video/rtx');
    transceiver.setCodecPreferences([...wanted, ...rtx]);
  }

  /** The publisher of this page: what it has is filmed already, and not offered yet. */
  async function camera({ codec, audio = true, video = true, width = 640, height = 360, layers = [] } = {}) {
    const media = await navigator.mediaDevices.getUserMedia({ audio, video: video && { width, height, frameRate: 30 } });
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    for (const track of media.getTracks()) {
      // the first layer whole, each next one half as wide
      const sendEncodings = layers.map((rid, at) => ({ rid, scaleResolutionDownBy: 2 ** at }));
      const simulcast = track.kind === 'video' && layers.length > 0 ? { sendEncodings } : {};
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [media], ...simulcast });
      if (codec && track.kind === 'video') prefer(transceiver, codec);
    }
    globalThis.publisher?.close();
    globalThis.publisher = pc;
    return pc;
  }

  /** The viewer of this page, with a screen for whatever track may come. */
  function screen() {
    const begun = performance.now();
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const video = document.createElement('video');
    Object.assign(video, { autoplay: true, muted: true, playsInline: true, srcObject: new MediaStream() });
    document.body.append(video);
    globalThis.presented = [];
    const note = (_now, { mediaTime, presentationTime, width, height }) => {
      globalThis.presented.push({ mediaTime, presentationTime, width, height, after: performance.now() - begun });
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
    pc.ontrack = ({ track }) => video.srcObject.addTrack(track);
    globalThis.viewer?.close();
    globalThis.viewer = pc;
    globalThis.screen_ = video;
    return pc;
  }

  /** A viewer that has a place for picture and sound. */
  function receiver(codec) {
    const pc = screen();
    const transceiver = pc.addTransceiver('video', { direction: 'recvonly' });
    if (codec) prefer(transceiver, codec);
    pc.addTransceiver('audio', { direction: 'recvonly' });
    return pc;
  }

  async function publish(url, options) {
    return settled(await camera(options), url, options);
  }

  async function watch(url, options) {
    return settled(receiver(options?.codec), url, options);
  }

  async function settled(pc, url, options) {
    const result = await signal(pc, url, options);
    if (result.status === 201) await connected(pc);
    return result;
  }

  /** Restarts ICE by PATCH; answers the status, and is back when checks succeed with the new credentials. */
  async function restart(which, location, { token } = {}) {
    const pc = globalThis[which];
    const before = pc.remoteDescription.sdp;
    pc.restartIce();
    await pc.setLocalDescription();
    const body = pc.localDescription.sdp.match(/^(?:m=|a=(?:mid|ice-ufrag|ice-pwd):).*\r\n/gm).join('');
    const headers = {
      'content-type': 'application/trickle-ice-sdpfrag',
      'if-match': '*',
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(location, { method: 'PATCH', headers, body });
    const text = await response.text();
    if (response.status !== 200) return { status: response.status, problem: text };
    await pc.setRemoteDescription({ type: 'answer', sdp: withCredentials(before, text) });
    await connected(pc);
    return { status: 200, problem: '', etag: response.headers.get('etag') };
  }

  /** A description with the credentials of another. */
  function withCredentials(sdp, other) {
    return ['ice-ufrag', 'ice-pwd'].reduce((rest, name) => {
      const line = new RegExp(`^a=${name}:.*$`, 'm').exec(other)[0];
      return rest.replace(new RegExp(`^a=${name}:.*$`, 'gm'), line);
    }, sdp);
  }

  /** Candidate pair in use, as `RTCStats` has it, with both of its candidates. */
  async function pair(which) {
    const report = await globalThis[which].getStats();
    const transport = [...report.values()].find(({ type }) => type === 'transport');
    const used = report.get(transport.selectedCandidatePairId);
    if (used === undefined) return undefined;
    return { ...used, local: report.get(used.localCandidateId), remote: report.get(used.remoteCandidateId) };
  }

  /** Facts of one kind of incoming or outgoing media. */
  async function stats(which, kind) {
    const pc = globalThis[which];
    const report = [...(await pc.getStats()).values()];
    const type = which === 'publisher' ? 'outbound-rtp' : 'inbound-rtp';
    return report.find((entry) => entry.type === type && entry.kind === kind) ?? {};
  }

  /** The loudest frequency of what is heard, hertz, and how loud it is, over `millis`. */
  async function tone(millis = 1500) {
    const context = new AudioContext();
    await context.resume();
    const [track] = globalThis.screen_.srcObject.getAudioTracks();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0.5 });
    source.connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    let best = { hertz: 0, decibels: Number.NEGATIVE_INFINITY };
    const end = performance.now() + millis;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      analyser.getFloatFrequencyData(bins);
      const at = bins.reduce((top, value, index) => (value > bins[top] ? index : top), 0);
      if (bins[at] > best.decibels) best = { hertz: (at * context.sampleRate) / 8192, decibels: bins[at] };
    }
    await context.close();
    return best;
  }

  return { publish, watch, restart, stats, pair, tone, camera, screen, receiver, connected };
})();
