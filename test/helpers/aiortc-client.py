"""aiortc publishes a picture and a tone by WHIP, or plays by WHEP and counts what it decodes:

    aiortc-client.py publish|play URL CODEC

When connected it says so, then once a second how far it is, one JSON object in a line, until it is ended.
"""
import asyncio
import fractions
import json
import signal
import sys
import urllib.request

import av
import numpy
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

RATE = 48_000
HERTZ = 440


class Picture(VideoStreamTrack):
    """Stripes that move, thirty times a second."""

    def __init__(self):
        super().__init__()
        self.count = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        self.count += 1
        picture = numpy.zeros((240, 320, 3), numpy.uint8)
        picture[:, (numpy.arange(320) + 2 * self.count) % 64 < 32] = (200, 120, 40)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):
    """A sine of 440 Hz, both channels."""

    async def recv(self):
        silence = await super().recv()
        count, start = silence.samples * RATE // silence.sample_rate, silence.pts * RATE // silence.sample_rate
        wave = 12_000 * numpy.sin(2 * numpy.pi * HERTZ * (start + numpy.arange(count)) / RATE)
        frame = av.AudioFrame.from_ndarray(numpy.repeat(wave.astype(numpy.int16), 2)[None, :], format="s16", layout="stereo")
        frame.pts, frame.sample_rate, frame.time_base = start, RATE, fractions.Fraction(1, RATE)
        return frame


def say(**facts):
    print(json.dumps(facts), flush=True)


async def count(track, counts):
    while True:
        frame = await track.recv()
        counts[track.kind] += 1
        if track.kind == "audio":
            samples = frame.to_ndarray().astype(float)
            counts["loudest"] = max(counts["loudest"], float(numpy.abs(samples).max()))


async def main(doing, url, codec):
    peer = RTCPeerConnection()
    counts = {"video": 0, "audio": 0, "loudest": 0.0}
    if doing == "publish":
        for track in (Tone(), Picture()):
            peer.addTransceiver(track, direction="sendonly")
    else:
        for kind in ("audio", "video"):
            peer.addTransceiver(kind, direction="recvonly")
        peer.on("track", lambda track: asyncio.ensure_future(count(track, counts)))
    wanted = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType == f"video/{codec}"]
    next(one for one in peer.getTransceivers() if one.kind == "video").setCodecPreferences(wanted)
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"content-type": "application/sdp"}
    request = urllib.request.Request(url, peer.localDescription.sdp.encode(), headers, method="POST")
    with urllib.request.urlopen(request) as reply:
        answer, location = reply.read().decode(), reply.headers["location"]
    await peer.setRemoteDescription(RTCSessionDescription(type="answer", sdp=answer))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    while not ended.is_set():
        await asyncio.sleep(0.5)
        say(state=peer.connectionState, location=location, **counts)
    await peer.close()


asyncio.run(main(*sys.argv[1:]))
