import {relative} from 'node:path';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../../cli/base-command.js';
import {paragraphs} from '../../cli/paragraphs.js';
import {PaynetError} from '../../lib/errors.js';
import {
  dayOf,
  defaultCaDir,
  hasAuthority,
  KEY_TYPES,
  type KeyType,
  MAX_DAYS,
  type Provisioned,
  planCertificate,
  provisionCertificate,
} from '../../lib/tls/index.js';

/** What --json prints: a stable format. */
interface GencertResult {
  certificate: string;
  key: string;
  ca: string;
  cn: string;
  usage: 'device' | 'server';
  names: string[];
  serial: string;
  /** ISO 8601, UTC. */
  notAfter: string;
  createdCa: boolean;
}

export default class Gencert extends BaseCommand {
  static override summary = 'Make a key and a certificate for a device or a server';

  static override description =
    paragraphs(`Writes <cn>.crt and <cn>.key (mode 600) into the output folder, and the authority's
certificate beside them as ca.crt. The first run makes the certificate authority too; later runs use it again.
Nothing is overwritten without --force, and an authority never.

Exit codes: 0 done, 1 failed (a file is in the way, the authority cannot be used), 2 wrong usage.`);

  static override examples = [
    {
      description: 'A device certificate; the first run makes the authority in ./certs/ca',
      command: '<%= config.bin %> <%= command.id %> --cn device001 --out ./certs',
    },
    {
      description: 'A server certificate with every name and address that devices connect to',
      command: '<%= config.bin %> <%= command.id %> --server --cn paynet.example.com --san 192.0.2.10 --out ./certs',
    },
    {
      description: 'An RSA key for an old device, from an authority kept elsewhere',
      command: '<%= config.bin %> <%= command.id %> --cn device002 --key-type rsa2048 --ca-dir /secure/ca --json',
    },
  ];

  static override flags = {
    cn: Flags.string({
      description: 'Common name: the device id, or the host name of the server',
      required: true,
      helpValue: 'NAME',
    }),
    out: Flags.string({description: 'Folder to write to', default: './certs', helpValue: 'DIR'}),
    'ca-dir': Flags.string({
      description: 'Folder of the certificate authority (ca.crt, ca.key); made when there is none. Default: <out>/ca',
      helpValue: 'DIR',
    }),
    server: Flags.boolean({description: 'A certificate for a server instead of a device'}),
    san: Flags.string({
      description: 'Further name: DNS:name, IP:address, or just the name or address (may be repeated)',
      multiple: true,
      helpValue: 'NAME',
    }),
    'key-type': Flags.option({
      description: 'Type of the key',
      options: KEY_TYPES,
      default: 'p256' as KeyType,
    })(),
    days: Flags.integer({
      description: `Days until it expires: at most ${MAX_DAYS.device} for a device, ${MAX_DAYS.server} for a server`,
      default: 365,
    }),
    force: Flags.boolean({description: 'Replace an older certificate and key of this name'}),
    yes: Flags.boolean({char: 'y', description: 'Make the authority without asking'}),
  };

  async run(): Promise<GencertResult> {
    const {flags} = await this.parse(Gencert);
    const request = {
      cn: flags.cn,
      usage: flags.server ? ('server' as const) : ('device' as const),
      sans: flags.san ?? [],
      keyType: flags['key-type'],
      days: flags.days,
      outDir: flags.out,
      caDir: flags['ca-dir'] ?? defaultCaDir(flags.out),
      overwrite: flags.force,
    };
    // A wrong flag is told before anybody is asked anything.
    planCertificate(request);
    if (!flags.yes) await this.confirmAuthority(request.caDir);
    const made = await provisionCertificate(request);
    this.tell(made, request.usage, request.sans.length);
    return {
      certificate: made.certificateFile,
      key: made.keyFile,
      ca: made.caFile,
      cn: flags.cn,
      usage: request.usage,
      names: made.issued.names,
      serial: made.issued.serial,
      notAfter: made.issued.notAfter.toISOString(),
      createdCa: made.createdAuthority,
    };
  }

  private async confirmAuthority(caDir: string): Promise<void> {
    const interactive = process.stdin.isTTY && process.stderr.isTTY && !this.jsonEnabled();
    if (!interactive || (await hasAuthority(caDir))) return;
    const {confirm} = await import('@inquirer/prompts');
    const message = `There is no certificate authority in ${caDir}. Make one?`;
    const yes = await confirm({message, default: true}, {output: process.stderr}).catch((error: unknown) => {
      // Ctrl-C at the question is a no.
      if (error instanceof Error && error.name === 'ExitPromptError') return false;
      throw error;
    });
    if (yes) return;
    throw new PaynetError('CA_NOT_FOUND', `There is no certificate authority in ${caDir}; nothing was written.`, {
      hint: 'Name the folder of yours with --ca-dir.',
    });
  }

  private tell(made: Provisioned, usage: 'device' | 'server', sans: number): void {
    const {issued} = made;
    if (made.createdAuthority) {
      this.talk(`Made a certificate authority in ${made.caDir}. Keep its ca.key secret, and keep a copy of it safe.`);
    }
    this.print(`certificate  ${made.certificateFile}`);
    this.print(`key          ${made.keyFile}`);
    this.print(`authority    ${made.caFile}`);
    this.print(`names        ${issued.names.join(', ')}`);
    this.print(`valid until  ${dayOf(issued.notAfter)}`);
    this.print(`serial       ${issued.serial}`);
    if (issued.shortened) this.talk('Note: it ends early, together with its authority.');
    if (usage === 'server' && sans === 0) {
      this.talk(`Note: devices can connect by no other name than ${issued.names.join(', ')}; add others with --san.`);
    }
    this.talk(usage === 'server' ? serverSteps(made) : deviceSteps(made));
  }
}

function serverSteps({certificateFile, keyFile, caFile}: Provisioned): string {
  return `
Next, in the server's configuration:
  server:
    tls:
      cert: ${sayPath(certificateFile)}
      key: ${sayPath(keyFile)}
      client_ca: ${sayPath(caFile)}`;
}

function deviceSteps({certificateFile, keyFile, caFile}: Provisioned): string {
  return `
Next, bring these three files to the device (never ca.key) and name them in its configuration:
  client:
    tls:
      ca: ${sayPath(caFile)}
      cert: ${sayPath(certificateFile)}
      key: ${sayPath(keyFile)}`;
}

/** A path as it can stand in YAML and still be found from here. */
function sayPath(path: string): string {
  const short = relative(process.cwd(), path);
  const shown = short === '' || short.startsWith('..') ? path : `./${short}`;
  return /^[\w./@+-]+$/.test(shown) ? shown : JSON.stringify(shown);
}
