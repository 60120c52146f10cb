"""aiortc makes an offer, posts it, takes the answer, and says what came of it: sdp-client.py publish|play URL"""
import asyncio
import json
import sys
import urllib.request

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack


async def main(doing, url):
    peer = RTCPeerConnection()
    if doing == "publish":
        for track in (AudioStreamTrack(), VideoStreamTrack()):
            peer.addTransceiver(track, direction="sendonly")
    else:
        for kind in ("video", "audio"):
            peer.addTransceiver(kind, direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = peer.localDescription.sdp.encode()
    request = urllib.request.Request(url, data=offer, method="POST")
    with urllib.request.urlopen(request) as reply:
        answer = reply.read().decode()
    await peer.setRemoteDescription(RTCSessionDescription(type="answer", sdp=answer))
    directions = {transceiver.kind: transceiver.currentDirection for transceiver in peer.getTransceivers()}
    print(json.dumps({"state": peer.signalingState, "directions": directions}))
    await peer.close()


asyncio.run(main(*sys.argv[1:]))
