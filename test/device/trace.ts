import {once} from 'node:events';
import type {ClientEvents, PaynetClient} from '../../src/lib/device/index.js';

export const FLOW = {register: {deviceSn: 'device001', model: 'box', firmware: '1'}, login: {version: '1'}};

/** Resolves with the client's next event of this name. */
export async function next<K extends keyof ClientEvents>(client: PaynetClient, name: K): Promise<ClientEvents[K][0]> {
  const [event] = await once(client, name);
  return event as ClientEvents[K][0];
}

/** The client's coming and going, and its messages where wanted, as short words in their order. */
export function trace(client: PaynetClient, messages = false): string[] {
  const seen: string[] = [];
  client.on('online', ({resumed}) => seen.push(resumed ? 'online resumed' : 'online'));
  client.on('offline', () => seen.push('offline'));
  client.on('retry', () => seen.push('retry'));
  if (messages) client.on('message', ({direction, name}) => seen.push(`${direction} ${name}`));
  return seen;
}
