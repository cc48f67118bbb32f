// Order numbers that tell when the order was posted: the machine's steady clock is the same in every process.

const DIGITS = 11;

/** Microseconds of the machine's steady clock. */
export function steadyUs() {
  const [seconds, nanoseconds] = process.hrtime();
  return Math.floor(seconds * 1e6 + nanoseconds / 1e3);
}

let last = 0;

export function newOrderNo() {
  last = Math.max(last + 1, steadyUs());
  return `b${last.toString(36).padStart(DIGITS, '0')}`;
}

/** Microseconds since an order with this number was posted. */
export const ageOf = (orderNo) => steadyUs() - Number.parseInt(orderNo.slice(1), 36);
