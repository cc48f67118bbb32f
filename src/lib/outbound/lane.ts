import {PaynetError} from '../errors.js';

/** What goes to one device, one command at a time. It exists only while there is something to do. */
export class Lane {
  readonly deviceId: string;
  /** How many commands are known to wait; infinite when the store must be asked. */
  expected: number;
  /** Ends the attempt that is in flight. */
  controller: AbortController | undefined;

  constructor(deviceId: string, expected: number) {
    this.deviceId = deviceId;
    this.expected = expected;
  }

  /** The device has left. */
  disconnect(): void {
    this.controller?.abort(new PaynetError('CONNECTION_CLOSED', 'the device has left'));
  }

  /** The process is about to end. */
  leave(): void {
    this.controller?.abort(new PaynetError('SERVER_STOPPED', 'the server is stopping'));
  }
}
