export {FrameDecoder, type FrameSink} from './decoder.js';
export {encodeFrame, writeHeader} from './encode.js';
export {
  DEFAULT_FORMAT,
  DEFAULT_MAX_FRAME,
  FrameError,
  type FrameFault,
  type FrameFormat,
  type FrameLength,
  HEADER_BYTES,
  HIGHEST_MAX_FRAME,
} from './format.js';
