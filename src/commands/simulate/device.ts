import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {onInterrupt} from '../../cli/signals.js';
import {timelineLine} from '../../cli/timeline.js';
import {loadConfig, parseDuration} from '../../lib/config/index.js';
import {messageOf, PaynetError, UsageError} from '../../lib/errors.js';
import {createVirtualDevice, describeMessage} from '../../lib/simulator/index.js';
import {certificateName} from '../../lib/tls/index.js';

export default class SimulateDevice extends BaseCommand {
  static override aliases = ['simulate-device'];

  static override summary = 'Run one simulated payment box against a server';

  static override description =
    paragraphs(`Connects like a real device: registers, logs in, sends heartbeats, pays out coins at the
server's command and comes back after every loss. Runs until SIGINT or SIGTERM, or for the time of --for.
The server and the certificate come from a configuration file, from flags, or both; flags win. The device's serial
number is the common name of its certificate unless told otherwise.

With --json everything that happens is one line of JSON on standard output.

Exit codes: 0 ended as asked (and, with --for, was online), 1 never came online or cannot start, 2 wrong usage.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> -c device.yaml',
    '<%= config.bin %> <%= command.id %> --server 127.0.0.1:7443 --ca certs/ca.crt --cert certs/device001.crt --key certs/device001.key',
    {
      description: 'Ten seconds, as lines of JSON, with a memory of executed orders that survives a restart',
      command: '<%= config.bin %> <%= command.id %> -c device.yaml --for 10s --ledger device001.ledger --json',
    },
  ];

  static override flags = {
    config: Flags.string({
      char: 'c',
      description: 'Configuration file (YAML) with a client section',
      helpValue: 'FILE',
    }),
    set: Flags.string({
      description: 'Set a key of the configuration (may be repeated)',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY=VALUE',
    }),
    server: Flags.string({description: 'Server address', helpValue: 'HOST:PORT'}),
    ca: Flags.string({description: 'CA certificate of the server', helpValue: 'FILE'}),
    cert: Flags.string({description: 'Certificate of the device', helpValue: 'FILE'}),
    key: Flags.string({description: 'Key of the certificate', helpValue: 'FILE'}),
    sn: Flags.string({description: 'Serial number to register with', helpValue: 'SN'}),
    'device-id': Flags.string({
      description: 'Log in as this device without registering',
      helpValue: 'ID',
      exclusive: ['sn'],
    }),
    token: Flags.string({description: 'Login token', env: 'PAYNET_DEVICE_TOKEN', helpValue: 'TOKEN', hidden: true}),
    ledger: Flags.string({
      description: 'File that remembers executed orders; in memory unless given',
      helpValue: 'FILE',
    }),
    'coin-time': Flags.string({description: 'How long one coin takes', default: '300ms', helpValue: 'TIME'}),
    'frame-length': Flags.string({
      description: 'What the length of a frame counts',
      options: ['type+payload', 'payload'],
    }),
    for: Flags.string({description: 'End after this time', helpValue: 'TIME'}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(SimulateDevice);
    const config = await loadConfig({
      ...(flags.config !== undefined && {file: flags.config}),
      set: [...given(flags), ...(flags.set ?? [])],
      env: process.env,
      need: 'client',
    });
    const {cert} = config.client.tls;
    const sn = flags.sn ?? (cert === undefined ? undefined : await certificateName(cert, 'client.tls.cert'));
    if (sn === undefined && flags['device-id'] === undefined) {
      throw new UsageError('A device without a certificate needs --sn or --device-id.');
    }
    const login = {version: '1.0.0', token: flags.token ?? '', deviceId: flags['device-id'] ?? ''};
    const flow =
      flags['device-id'] === undefined && sn !== undefined
        ? {register: {deviceSn: sn, model: 'simulated', firmware: '1.0.0'}, login}
        : {login};
    const who = flags['device-id'] ?? sn ?? '';
    const began = performance.now();
    const happened = (
      direction: 'sent' | 'received' | 'event' | 'failed',
      what: string,
      detail: string,
      fields: object,
    ): void => {
      const at = performance.now() - began;
      this.print(timelineLine({at, who, direction, what, detail}));
      this.record({at: Math.round(at), device: who, event: what, direction, ...fields});
    };

    const device = await createVirtualDevice({
      config,
      ledgerFile: flags.ledger,
      coinMs: parseDuration(flags['coin-time']),
    });
    const {client} = device;
    let everOnline = false;
    let lastFault: Error | undefined;
    client.on('message', ({direction, name, message}) => {
      happened(direction, name, describeMessage(name, message), {message: withoutSecrets(message)});
    });
    client.on('online', ({deviceId, resumed, tlsResumed}) => {
      everOnline = true;
      const how = [resumed ? 'session resumed' : 'new session', tlsResumed ? 'TLS resumed' : 'full TLS handshake'];
      happened('event', 'online', `as ${deviceId} (${how.join(', ')})`, {deviceId, resumed, tlsResumed});
    });
    client.on('offline', ({reason}) => happened('failed', 'offline', reason, {reason}));
    client.on('retry', ({error, delayMs}) => {
      lastFault = error;
      const wait = Math.round(delayMs);
      happened('failed', 'retry', `${messageOf(error)}; next try in ${wait} ms`, {
        error: messageOf(error),
        delayMs: wait,
      });
    });

    const interruption = onInterrupt();
    const limit = flags.for === undefined ? undefined : AbortSignal.timeout(parseDuration(flags.for));
    const signal = limit === undefined ? interruption.signal : AbortSignal.any([interruption.signal, limit]);
    try {
      await client.run(signal, flow);
    } finally {
      interruption.release();
      await device.stop();
    }
    if (!everOnline && limit?.aborted === true) {
      throw new PaynetError('NEVER_ONLINE', `the device did not come online within ${flags.for}`, {
        cause: lastFault,
        hint: lastFault === undefined ? 'Check the address of the server.' : messageOf(lastFault),
      });
    }
    return undefined;
  }
}

/** The flags that stand for keys of the configuration. */
function given(flags: Record<string, unknown>): string[] {
  const keys: Record<string, string> = {
    server: 'client.addr',
    ca: 'client.tls.ca',
    cert: 'client.tls.cert',
    key: 'client.tls.key',
    'frame-length': 'frame.length',
  };
  return Object.entries(keys).flatMap(([flag, key]) =>
    flags[flag] === undefined ? [] : `${key}=${String(flags[flag])}`,
  );
}

function withoutSecrets(message: unknown): Record<string, unknown> {
  const {$type, token, resumeToken, devicePubkey, ...rest} = message as Record<string, unknown>;
  return rest;
}
