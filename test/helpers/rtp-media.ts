/** Configurations and starts of key frames as encoders made them, 64 x 48 pixels. */
import { hex } from './rtp.ts';

/** HEVCDecoderConfigurationRecord of x265: Main profile, its message left out. */
export const HEVC_CONFIG = hex(
  '0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001eba0240' +
    'a10001002742010101600000030090000003000003001ea02083165ba4a4c2f0168080000003008000000c84' +
    'a2000100064401c073c089',
);

/** AV1CodecConfigurationRecord of libaom. */
export const AV1_CONFIG = hex('81000c00 0a0a 00000002aff79b5f2008');
/** Its sequence header, without OBU header. */
export const AV1_SEQUENCE = AV1_CONFIG.subarray(6);

/** First bytes of key frames of libvpx, and FFmpeg's record for the second. */
export const VP8_KEY = hex('1025009d012a4000300004708858');
export const VP9_KEY = hex('824983420003f002f60438241c18');
export const VP9_CONFIG = hex('000a8202 0202 0000');
