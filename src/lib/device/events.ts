import {EventEmitter} from 'node:events';
import type {ErrorMsg} from '../registry/index.js';
import type {CloseReason} from '../session/index.js';

export interface ClientEvents {
  /** Logged in. `resumed`: the server took up the last session; `tlsResumed`: so did TLS. */
  online: [{deviceId: string; resumed: boolean; tlsResumed: boolean; tlsVersion: string}];
  offline: [{reason: CloseReason; error: Error | undefined}];
  /** A try has failed or a connection has ended; the next try comes in `delayMs`. */
  retry: [{error: Error; delayMs: number}];
  message: [{direction: 'sent' | 'received'; name: string; message: unknown}];
  heartbeat: [{roundTripMs: number; serverTime: number}];
  /** The server reported a fault. */
  fault: [ErrorMsg];
}

/** An emitter whose listeners cannot unwind what they are told about. */
export class ClientEmitter extends EventEmitter<ClientEvents> {
  /**
   * Emits; an error of a listener surfaces as any uncaught error of the program does, but after us: a connection, or
   * the acknowledgement of a payment, must not end half-way because of it.
   */
  protected tell<K extends keyof ClientEvents>(name: K, ...args: ClientEvents[K]): void {
    try {
      (this as EventEmitter).emit(name, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
