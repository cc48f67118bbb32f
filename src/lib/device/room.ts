import {DeadlineWheel, Dispatcher, Outgoing, type SessionCounters, type TrafficCounters} from '../session/index.js';

/** What the clients of a process share, so that ten thousand of them have one timer and one buffer. */
export interface ClientRoom {
  wheel: DeadlineWheel;
  outgoing: Outgoing;
  dispatcher: Dispatcher;
  counters: TrafficCounters & SessionCounters;
}

/** Unsent bytes after which a server that does not read is given up. */
export const CLIENT_WRITE_BUFFER = 256 * 1024;

export function createClientRoom(): ClientRoom {
  return {
    wheel: new DeadlineWheel().start(),
    outgoing: new Outgoing(),
    dispatcher: new Dispatcher({workers: 1024, queue: 65_536}),
    counters: {
      bytesIn: 0,
      bytesOut: 0,
      framesIn: 0,
      framesOut: 0,
      handlerErrors: 0,
      frameErrors: 0,
      frameError() {
        this.frameErrors++;
      },
    } as ClientRoom['counters'] & {frameErrors: number},
  };
}

let shared: ClientRoom | undefined;

/** The room of clients that were given none. Its timer does not keep the process alive. */
export function sharedRoom(): ClientRoom {
  shared ??= createClientRoom();
  return shared;
}
