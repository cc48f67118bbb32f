export {
  type CloseReason,
  Connection,
  type ConnectionRoom,
  type Receiver,
  type TrafficCounters,
} from './connection.js';
export {Dispatcher, type DispatcherLimits, type Lane} from './dispatcher.js';
export {Outgoing, type Transmitter} from './outgoing.js';
export {ResumeTokens} from './resume-token.js';
export {
  type Freshness,
  isOnlineScore,
  onlineScore,
  PENALTY_MS,
  type ScoreFacts,
  type ScoreRules,
} from './score.js';
export {
  type FrameErrorReason,
  Refusal,
  Session,
  type SessionCounters,
  type SessionLog,
  type SessionRole,
  type SessionRoom,
} from './session.js';
export {admits, nextState, type SessionInput, type SessionState} from './state.js';
export {Alarm, type Deadline, DeadlineWheel} from './wheel.js';
