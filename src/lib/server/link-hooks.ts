import type {Config} from '../config/index.js';
import type {GuardedHooks, HookAnswer, HookCertificate} from '../hooks/index.js';
import {defaultHooks, type LinkHooks, type Peer, readDeviceList} from '../link/index.js';
import type {Business} from './business.js';

export interface LinkHooksOptions {
  auth: Config['auth'];
  /** Those of the project's module. */
  project: GuardedHooks | undefined;
  /** Those that a program gives instead of the server's own. */
  own: Partial<LinkHooks>;
  /** Devices and orders; undefined as long as the server has none. */
  business(): Business | undefined;
}

/** Who may register and log in: first what certificate and device list say, then what the project says. */
export async function linkHooks({auth, project, own, business}: LinkHooksOptions): Promise<LinkHooks> {
  const hooks: LinkHooks = {
    ...defaultHooks({
      devices: auth.devices === undefined ? undefined : await readDeviceList(auth.devices),
      allowUnverified: auth.allow_unverified,
    }),
    order: (deviceId, orderId) => business()?.view(deviceId, orderId),
    ...own,
  };
  return {
    ...hooks,
    async register(request) {
      const verdict = await hooks.register(request);
      if (!verdict.allowed) return verdict;
      const {deviceSn, model, firmware, peer} = request;
      const answer = await project?.register?.({
        deviceSn,
        model,
        firmware,
        certificate: certificateOf(peer),
        address: peer.remoteAddress,
      });
      const refusal = refusalOf(answer);
      if (refusal !== undefined) return refusal;
      const {deviceId} = verdict;
      const known = await business()?.devices.register({deviceId, protocol: 'paynet', model, firmware});
      return {...verdict, first: verdict.first && known?.first === true};
    },
    login(request) {
      const decided = hooks.login(request);
      const hook = project?.login;
      if (hook === undefined) return decided;
      const {deviceId, version, resumed, peer} = request;
      return Promise.resolve(decided).then(async (verdict) => {
        if (!verdict.allowed) return verdict;
        return refusalOf(await hook({deviceId, version, resumed, address: peer.remoteAddress})) ?? verdict;
      });
    },
  };
}

function refusalOf(answer: HookAnswer | undefined): {allowed: false; reason: string} | undefined {
  return answer === undefined || answer === true ? undefined : {allowed: false, reason: answer.refuse};
}

const certificateOf = ({identity}: Peer): HookCertificate | null =>
  identity === undefined ? null : {subject: identity.cn, serial: identity.serial};
