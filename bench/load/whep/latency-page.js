/**
 * Runs in the browser: pictures that say when they were drawn, read where they are shown; joins; flashes against beeps. All times are
 * milliseconds since 1970 as this page's clock has them.
 */
globalThis.bench = (() => {
  // 24 bits of milliseconds and 8 of a checksum in 8 x 4 black and white fields
  const COLUMNS = 8;
  const ROWS = 4;
  const WIDTH = 640;
  const HEIGHT = 360;
  const FRAME_MS = 1000 / 30;
  const RANGE = 2 ** 24;

  const clock = () => performance.timeOrigin + performance.now();

  const pages = { connections: [] };

  function checksum(value) {
    return ((value >> 16) ^ (value >> 8) ^ value ^ 0xa5) & 0xff;
  }

  function draw(context, millis) {
    const value = Math.round(millis) % RANGE;
    const code = [value >> 16, value >> 8, value, checksum(value)];
    for (let row = 0; row < ROWS; row++) {
      for (let column = 0; column < COLUMNS; column++) {
        context.fillStyle = (code[row] >> (7 - column)) & 1 ? '#fff' : '#000';
        context.fillRect((column * WIDTH) / COLUMNS, (row * HEIGHT) / ROWS, WIDTH / COLUMNS, HEIGHT / ROWS);
      }
    }
  }

  /** The time in a picture; undefined when it is none of ours, or spoilt. */
  function read(context, video) {
    context.drawImage(video, 0, 0, COLUMNS * 4, ROWS * 4);
    const { data } = context.getImageData(0, 0, COLUMNS * 4, ROWS * 4);
    const code = [0, 0, 0, 0];
    for (let row = 0; row < ROWS; row++) {
      for (let column = 0; column < COLUMNS; column++) {
        const at = ((row * 4 + 2) * COLUMNS * 4 + column * 4 + 2) * 4;
        code[row] = (code[row] << 1) | (data[at] > 127 ? 1 : 0);
      }
    }
    const value = (code[0] << 16) | (code[1] << 8) | code[2];
    return checksum(value) === code[3] ? value : undefined;
  }

  /** The smallest number that differs by whole ranges. */
  function nearZero(millis) {
    return millis - Math.round(millis / RANGE) * RANGE;
  }

  function smallCanvas() {
    return new OffscreenCanvas(COLUMNS * 4, ROWS * 4).getContext('2d', { willReadFrequently: true });
  }

  async function signal(pc, url) {
    await pc.setLocalDescription();
    const postedAt = clock();
    const headers = { 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: pc.localDescription.sdp });
    const text = await response.text();
    if (response.status !== 201) throw new Error(`${response.status}: ${text}`);
    await pc.setRemoteDescription({ type: 'answer', sdp: text });
    return { postedAt, location: new URL(response.headers.get('location'), response.url).href };
  }

  /** Publishes drawn pictures and a tone. */
  async function publish(url) {
    const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
    document.body.append(canvas);
    const context = canvas.getContext('2d');
    setInterval(() => draw(context, clock()), FRAME_MS);
    draw(context, clock());
    const audio = new AudioContext();
    const tone = new OscillatorNode(audio, { frequency: 440 });
    const sound = new MediaStreamAudioDestinationNode(audio);
    tone.connect(sound);
    tone.start();
    const media = new MediaStream([...canvas.captureStream(30).getTracks(), ...sound.stream.getTracks()]);
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    pages.connections.push(pc);
    for (const track of media.getTracks()) {
      const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [media] });
      if (track.kind === 'video') {
        const { codecs } = RTCRtpSender.getCapabilities('video');
        transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === 'video/H264'));
      }
    }
    await signal(pc, url);
  }

  /** Plays; `onFrame` is called for each picture that is shown, with the time at which it is to be seen. */
  async function play(url, onFrame) {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const video = document.createElement('video');
    Object.assign(video, { autoplay: true, playsInline: true, srcObject: new MediaStream() });
    document.body.append(video);
    const frame = (_now, { expectedDisplayTime, presentationTime }) => {
      const origin = performance.timeOrigin;
      // a page that is busy is called late, and then sees a later picture than it is told of
      const shownAt = Math.max(origin + expectedDisplayTime, clock());
      onFrame(video, { shownAt, presentedAt: origin + presentationTime });
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
    pc.ontrack = ({ track }) => video.srcObject.addTrack(track);
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    const { postedAt, location } = await signal(pc, url);
    const leave = async () => {
      pc.close();
      video.remove();
      await fetch(location, { method: 'DELETE' });
    };
    return { pc, video, postedAt, leave };
  }

  /** From drawing to display, one number for each picture, those of the first `settleMs` left out. `offset`: this clock minus the painter's. */
  async function latencies(url, { offset = 0, settleMs = 2000, millis }) {
    const small = smallCanvas();
    const found = [];
    let spoilt = 0;
    let measuring = false;
    const { leave } = await play(url, (video, { shownAt }) => {
      if (!measuring) return;
      const value = read(small, video);
      if (value === undefined) spoilt++;
      else found.push(nearZero(shownAt - offset - value));
    });
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    measuring = true;
    await new Promise((resolve) => setTimeout(resolve, millis));
    await leave();
    return { found, spoilt };
  }

  /** From the POST to the first picture on the screen. */
  async function join(url) {
    const first = Promise.withResolvers();
    const { postedAt, leave } = await play(url, (_video, { presentedAt }) => first.resolve(presentedAt));
    const millis = (await first.promise) - postedAt;
    await leave();
    return millis;
  }

  const LISTENER = `registerProcessor('onsets', class extends AudioWorkletProcessor {
    quiet = 0;
    process([[samples = []]]) {
      for (let at = 0; at < samples.length; at++) {
        if (Math.abs(samples[at]) < 0.05) this.quiet++;
        else {
          if (this.quiet > sampleRate / 2) this.port.postMessage(currentTime + at / sampleRate);
          this.quiet = 0;
        }
      }
      return true;
    }
  });`;

  /** How much later the browser itself believes the sound to be, milliseconds; undefined: it cannot say yet. */
  async function ownEstimate(pc) {
    const report = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    const playing = (kind) => report.find((entry) => entry.kind === kind)?.estimatedPlayoutTimestamp;
    const late = playing('video') - playing('audio');
    return Number.isFinite(late) ? late : undefined;
  }

  /**
   * How much later each beep is heard than its flash is seen, milliseconds. Those of the first `settleMs` are left out: browsers bring
   * sound and picture together step by step.
   */
  async function lipSync(url, { settleMs = 6000, millis }) {
    const small = smallCanvas();
    const flashes = [];
    const beeps = [];
    let bright = true;
    const { pc, video, leave } = await play(url, (shown, { shownAt }) => {
      small.drawImage(shown, 0, 0, 1, 1);
      const was = bright;
      bright = small.getImageData(0, 0, 1, 1).data[0] > 127;
      if (bright && !was) flashes.push(shownAt);
    });
    const audio = new AudioContext();
    await audio.audioWorklet.addModule(URL.createObjectURL(new Blob([LISTENER], { type: 'text/javascript' })));
    await audio.resume();
    const source = audio.createMediaStreamSource(new MediaStream(video.srcObject.getAudioTracks()));
    const listener = new AudioWorkletNode(audio, 'onsets');
    listener.port.onmessage = ({ data }) => {
      const { contextTime, performanceTime } = audio.getOutputTimestamp();
      beeps.push(performance.timeOrigin + performanceTime + (data - contextTime) * 1000);
    };
    source.connect(listener).connect(audio.destination);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    flashes.length = 0;
    const estimates = [];
    const end = clock() + millis;
    while (clock() < end) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const late = await ownEstimate(pc);
      if (late !== undefined) estimates.push(late);
    }
    await leave();
    await audio.close();
    const differences = flashes.flatMap((flash) => {
      const nearest = beeps.map((beep) => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
      return nearest !== undefined && Math.abs(nearest) < 1000 ? [nearest] : [];
    });
    return { differences, estimates };
  }

  return { clock, publish, latencies, join, lipSync };
})();
