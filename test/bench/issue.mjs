// Issues certificates for a range of devices: `issue.mjs '{"caDir", "file", "from", "to"}'`.
import {writeFileSync} from 'node:fs';
import {issueCertificate, openAuthority} from '../../dist/lib/tls/index.js';
import {answerCommands} from './answer.mjs';
import {deviceName} from './devices.mjs';

answerCommands({
  async issue({caDir, file, from, to}) {
    const authority = await openAuthority(caDir);
    const issued = [];
    for (let device = from; device < to; device++) {
      const {certificatePem, privateKeyPem} = await issueCertificate(authority, {
        cn: deviceName(device),
        usage: 'device',
      });
      issued.push([certificatePem, privateKeyPem]);
    }
    writeFileSync(file, JSON.stringify(issued), {mode: 0o600});
  },
});
