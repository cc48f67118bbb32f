// What makes a connection a device's one.
import {deviceName} from './devices.mjs';
import {loginFrame} from './frames.mjs';

const LOGIN_RSP = 0x82;
/** The tag of a result code, which is left out when it is OK. */
const CODE_TAG = 0x08;

/** The product logs the device in, the bare server echoes as much. */
export async function greet(connection, server) {
  const reply = await connection.exchange(loginFrame(deviceName(connection.device)));
  if (server === 'product' && (reply[4] !== LOGIN_RSP || reply[5] === CODE_TAG)) throw new Error('login was refused');
}
