import {codeOf, PaynetError} from '../errors.js';
import {LoginReq, RegisterReq, ResultCode} from '../registry/index.js';
import type {DeviceLink} from './link.js';

/** How a device introduces itself after every connect. */
export interface LoginFlow {
  /** Sent at the first connection; left out by a device that knows its id. */
  register?: Partial<RegisterReq>;
  /** Without a deviceId the one of the registration is used. */
  login?: Partial<LoginReq>;
}

/** The server has answered, and not with yes. */
const REFUSALS: ReadonlySet<string | undefined> = new Set(['REGISTER_REFUSED', 'LOGIN_REFUSED', 'ANSWER_REFUSED']);

/** What a device remembers of its registration and login from one connection to the next. */
export class Introduction {
  deviceId: string;
  readonly #flow: LoginFlow;
  #registered = false;
  #resumeToken = '';

  constructor(flow: LoginFlow) {
    this.#flow = flow;
    this.deviceId = flow.login?.deviceId ?? '';
    this.forget();
    if (this.#registered && this.deviceId === '') {
      throw new PaynetError('FLOW_INVALID', 'a device without a deviceId has to register first', {
        hint: 'Give the flow a `register` message, or `login.deviceId`.',
      });
    }
  }

  /** The server knows us no more, or does not want us as we are: the next try begins at the beginning. */
  forget(): void {
    this.#registered = this.#flow.register === undefined;
    this.#resumeToken = '';
  }

  /**
   * Registers where that is still to be done, and logs in; a resume token that is refused is tried once without.
   * Answers whether the last session was taken up. Rejects with REGISTER_REFUSED, LOGIN_REFUSED, ANSWER_REFUSED,
   * ANSWER_TIMEOUT or CONNECTION_CLOSED.
   */
  async run(link: DeviceLink): Promise<boolean> {
    try {
      if (!this.#registered) await this.#register(link);
      return await this.#logIn(link);
    } catch (error) {
      if (REFUSALS.has(codeOf(error))) this.forget();
      throw error;
    }
  }

  async #register(link: DeviceLink): Promise<void> {
    const answer = await link.register(RegisterReq.fromPartial(this.#flow.register ?? {}));
    if (answer.code !== ResultCode.OK) {
      throw refused('REGISTER_REFUSED', 'registration', answer);
    }
    this.#registered = true;
    if (answer.deviceId !== '') this.deviceId = answer.deviceId;
  }

  async #logIn(link: DeviceLink): Promise<boolean> {
    const own = this.#flow.login?.token ?? '';
    let answer = await this.#login(link, this.#resumeToken === '' ? own : this.#resumeToken);
    if (answer.code !== ResultCode.OK && this.#resumeToken !== '') {
      this.#resumeToken = '';
      answer = await this.#login(link, own);
    }
    if (answer.code !== ResultCode.OK) throw refused('LOGIN_REFUSED', 'login', answer);
    this.#resumeToken = answer.resumeToken;
    link.deviceId = this.deviceId;
    return answer.msg === 'resumed';
  }

  #login(link: DeviceLink, token: string): ReturnType<DeviceLink['login']> {
    const version = this.#flow.login?.version ?? '';
    return link.login(LoginReq.fromPartial({deviceId: this.deviceId, token, version}));
  }
}

function refused(code: string, what: string, answer: {code: ResultCode; msg: string}): PaynetError {
  return new PaynetError(
    code,
    `the server refuses the ${what}: ${ResultCode[answer.code] ?? answer.code} ${answer.msg}`,
  );
}
