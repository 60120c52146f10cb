// The least WHIP and WHEP server that pion makes: one publisher per path, its RTP written to one TrackLocalStaticRTP
// for all viewers, one UDP port, the interceptors that come by default. A peer for the bench, no more.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/webrtc/v4"
)

const maxOffer = 64 << 10

type server struct {
	api      *webrtc.API
	mutex    sync.Mutex
	tracks   map[string][]webrtc.TrackLocal
	sessions map[string]*webrtc.PeerConnection
	number   int
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "HTTP")
	sha1 := flag.Bool("sha1", false, "AES_CM_128_HMAC_SHA1_80 instead of pion's own order, which begins with GCM")
	flag.Parse()

	s := &server{
		api:      newAPI(*sha1),
		tracks:   map[string][]webrtc.TrackLocal{},
		sessions: map[string]*webrtc.PeerConnection{},
	}
	log.Fatal(http.ListenAndServe(*listen, s))
}

func newAPI(sha1 bool) *webrtc.API {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	check(socket.SetReadBuffer(4 << 20))
	check(socket.SetWriteBuffer(4 << 20))
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	if sha1 {
		settings.SetSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	}
	// codecs and interceptors (NACK both ways, reports, TWCC) are those that NewAPI takes by default
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings))
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, door := r.URL.Path, ""
	if cut := strings.LastIndexByte(path, '/'); cut > 0 {
		path, door = path[:cut], path[cut+1:]
	}
	switch {
	case r.Method == http.MethodPost && door == "whip":
		s.answer(w, r, func(connection *webrtc.PeerConnection) error { s.ingest(connection, path); return nil })
	case r.Method == http.MethodPost && door == "whep":
		s.answer(w, r, func(connection *webrtc.PeerConnection) error { return s.play(connection, path) })
	case r.Method == http.MethodDelete:
		s.end(r.URL.Path)
	default:
		http.NotFound(w, r)
	}
}

// answer takes the offer in; prepare adds what is to be sent, or takes what comes.
func (s *server) answer(w http.ResponseWriter, r *http.Request, prepare func(*webrtc.PeerConnection) error) {
	offer, err := io.ReadAll(io.LimitReader(r.Body, maxOffer))
	if err != nil {
		return
	}
	connection, err := s.api.NewPeerConnection(webrtc.Configuration{})
	if err == nil {
		err = prepare(connection)
	}
	if err == nil {
		err = connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)})
	}
	var description webrtc.SessionDescription
	if err == nil {
		description, err = connection.CreateAnswer(nil)
	}
	if err == nil {
		gathered := webrtc.GatheringCompletePromise(connection)
		err = connection.SetLocalDescription(description)
		<-gathered
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mutex.Lock()
	s.number++
	location := "/session/" + strconv.Itoa(s.number)
	s.sessions[location] = connection
	s.mutex.Unlock()
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed {
			s.end(location)
		}
	})
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, connection.LocalDescription().SDP)
}

func (s *server) ingest(connection *webrtc.PeerConnection, path string) {
	connection.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		local, err := webrtc.NewTrackLocalStaticRTP(remote.Codec().RTPCodecCapability, remote.Kind().String(), "bench")
		check(err)
		s.mutex.Lock()
		s.tracks[path] = append(s.tracks[path], local)
		s.mutex.Unlock()
		for {
			packet, _, err := remote.ReadRTP()
			if err != nil {
				return
			}
			// what one viewer's connection says must not end the stream of the others
			_ = local.WriteRTP(packet)
		}
	})
}

func (s *server) play(connection *webrtc.PeerConnection, path string) error {
	s.mutex.Lock()
	tracks := s.tracks[path]
	s.mutex.Unlock()
	for _, track := range tracks {
		sender, err := connection.AddTrack(track)
		if err != nil {
			return err
		}
		// interceptors see what is read
		go func() {
			buffer := make([]byte, 1500)
			for {
				if _, _, err := sender.Read(buffer); err != nil {
					return
				}
			}
		}()
	}
	return nil
}

func (s *server) end(location string) {
	s.mutex.Lock()
	connection := s.sessions[location]
	delete(s.sessions, location)
	s.mutex.Unlock()
	if connection != nil {
		_ = connection.Close()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
