import {PaynetError} from '../errors.js';
import {LoginReq, RegisterReq, ResultCode} from '../registry/index.js';
import type {DeviceLink} from './link.js';

/** How a device introduces itself after every connect. */
export interface LoginFlow {
  /** Sent at the first connection; left out by a device that knows its id. */
  register?: Partial<RegisterReq>;
  /** Without a deviceId the one of the registration is used. */
  login?: Partial<LoginReq>;
}

/** What a device remembers of its registration and login from one connection to the next. */
export class Introduction {
  deviceId: string;
  readonly #flow: LoginFlow;
  #registered: boolean;
  #resumeToken = '';

  constructor(flow: LoginFlow) {
    this.#flow = flow;
    this.deviceId = flow.login?.deviceId ?? '';
    this.#registered = flow.register === undefined;
    if (this.#registered && this.deviceId === '') {
      throw new PaynetError('FLOW_INVALID', 'a device without a deviceId has to register first', {
        hint: 'Give the flow a `register` message, or `login.deviceId`.',
      });
    }
  }

  /**
   * Registers where that is still to be done, and logs in; a resume token that is refused is tried once without.
   * Answers whether the last session was taken up. Rejects with REGISTER_REFUSED or LOGIN_REFUSED.
   */
  async run(link: DeviceLink): Promise<boolean> {
    if (!this.#registered) await this.#register(link);
    const resume = this.#resumeToken;
    this.#resumeToken = '';
    let answer = await this.#login(link, resume === '' ? this.#loginToken : resume);
    if (answer.code !== ResultCode.OK && resume !== '') answer = await this.#login(link, this.#loginToken);
    if (answer.code !== ResultCode.OK) {
      // Whatever the server has forgotten or withdrawn: the next try begins at the beginning.
      this.#registered = this.#flow.register === undefined;
      throw new PaynetError('LOGIN_REFUSED', `the server refuses the login: ${ResultCode[answer.code]} ${answer.msg}`);
    }
    this.#resumeToken = answer.resumeToken;
    link.deviceId = this.deviceId;
    return answer.msg === 'resumed';
  }

  get #loginToken(): string {
    return this.#flow.login?.token ?? '';
  }

  async #register(link: DeviceLink): Promise<void> {
    const answer = await link.register(RegisterReq.fromPartial(this.#flow.register ?? {}));
    if (answer.code !== ResultCode.OK) {
      const text = `the server refuses the registration: ${ResultCode[answer.code]} ${answer.msg}`;
      throw new PaynetError('REGISTER_REFUSED', text);
    }
    this.#registered = true;
    if (answer.deviceId !== '') this.deviceId = answer.deviceId;
  }

  #login(link: DeviceLink, token: string): ReturnType<DeviceLink['login']> {
    const version = this.#flow.login?.version ?? '';
    return link.login(LoginReq.fromPartial({deviceId: this.deviceId, token, version}));
  }
}
