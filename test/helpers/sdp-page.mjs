/** What a page of ours does in Chromium for sdp-clients.ts. */

/** Makes an offer, posts it to `url`, takes the answer, and says what came of it. */
globalThis.settle = async ({ kind, url }) => {
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  if (kind === 'publish' || kind === 'simulcast') {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const layers = ['h', 'm', 'l'].map((rid, step) => ({ rid, scaleResolutionDownBy: 2 ** step }));
    for (const track of stream.getTracks()) {
      const sendEncodings = kind === 'simulcast' && track.kind === 'video' ? layers : [];
      peer.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings });
    }
  } else {
    for (const media of ['video', 'audio']) peer.addTransceiver(media, { direction: 'recvonly' });
    if (kind === 'data') peer.createDataChannel('events');
  }
  await peer.setLocalDescription();
  const reply = await fetch(url, { method: 'POST', body: peer.localDescription.sdp });
  const sdp = await reply.text();
  if (!reply.ok) throw new Error(sdp);
  await peer.setRemoteDescription({ type: 'answer', sdp });
  const transceivers = peer.getTransceivers();
  const video = transceivers.find(({ receiver }) => receiver.track.kind === 'video');
  const { encodings, codecs } = video.sender.getParameters();
  const directions = transceivers.map(({ receiver, currentDirection }) => [receiver.track.kind, currentDirection]);
  const settled = {
    state: peer.signalingState,
    directions: Object.fromEntries(directions),
    layers: encodings.length,
    codecs: codecs.map(({ mimeType }) => mimeType),
  };
  peer.close();
  return settled;
};

/** Answers an offer. */
globalThis.answer = async (sdp) => {
  const peer = new RTCPeerConnection();
  await peer.setRemoteDescription({ type: 'offer', sdp });
  await peer.setLocalDescription();
  const answer = peer.localDescription.sdp;
  peer.close();
  return answer;
};
