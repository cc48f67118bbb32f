import {readFile} from 'node:fs/promises';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {onInterrupt} from '../../cli/signals.js';
import {timelineLine} from '../../cli/timeline.js';
import {parseDuration} from '../../lib/config/index.js';
import {messageOf, UsageError} from '../../lib/errors.js';
import {startWebhookReceiver} from '../../lib/simulator/index.js';

export default class SimulateWebhook extends BaseCommand {
  static override summary = 'Receive webhooks as a merchant would, and show them';

  static override description =
    paragraphs(`Listens for the events that a server posts, checks the signature and the time of each, and
answers 200 (or 401). Runs until SIGINT or SIGTERM, or for the time of --for. The server's configuration needs
events.url with the address that is shown, the same secret, and, for an address on this machine, events.allow_private
and events.allow_http.

The secret comes from the environment variable PAYNETCTL_WEBHOOK_SECRET or from a file, never from the command line.

Exit codes: 0 ended as asked, 1 cannot listen, 2 wrong usage.`);

  static override examples = [
    'PAYNETCTL_WEBHOOK_SECRET=… <%= config.bin %> <%= command.id %> --addr 127.0.0.1:9000',
    '<%= config.bin %> <%= command.id %> --secret-file webhook.secret --json',
  ];

  static override flags = {
    addr: Flags.string({description: 'Where to listen', default: '127.0.0.1:9000', helpValue: 'HOST:PORT'}),
    'secret-file': Flags.string({description: 'File that holds the secret', helpValue: 'FILE'}),
    for: Flags.string({description: 'End after this time', helpValue: 'TIME'}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(SimulateWebhook);
    const secret = await secretOf(flags['secret-file']);
    const began = performance.now();
    const show = (direction: 'received' | 'event' | 'failed', what: string, detail: string, fields: object): void => {
      const at = performance.now() - began;
      this.print(timelineLine({at, who: 'webhook', direction, what, detail}));
      this.record({at: Math.round(at), event: what, ...fields});
    };
    const interruption = onInterrupt();
    const limit = flags.for === undefined ? undefined : AbortSignal.timeout(parseDuration(flags.for));
    const receiver = await startWebhookReceiver({
      addr: flags.addr,
      secrets: [secret],
      received(event) {
        const {eventId, type, repeated, data} = event;
        show('received', type, `${eventId}${repeated ? ' (again)' : ''} ${JSON.stringify(data)}`, {...event});
      },
      refused: (reason) => show('failed', 'refused', reason, {reason}),
    });
    show('event', 'listening', receiver.url, {url: receiver.url});
    try {
      await Promise.race([
        interruption.interrupted,
        ...(limit === undefined
          ? []
          : [new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), {once: true}))]),
      ]);
    } finally {
      interruption.release();
      await receiver.close();
    }
    return undefined;
  }
}

async function secretOf(file: string | undefined): Promise<string> {
  const given = file === undefined ? process.env.PAYNETCTL_WEBHOOK_SECRET : await readSecret(file);
  if (given !== undefined && given.trim() !== '') return given.trim();
  throw new UsageError('Which secret do the webhooks have?', {
    hint: 'Set PAYNETCTL_WEBHOOK_SECRET, or give a file with --secret-file.',
  });
}

function readSecret(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--secret-file ${file}: ${messageOf(error)}`, {cause: error});
  });
}
