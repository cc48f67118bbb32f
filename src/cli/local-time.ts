/** A time of the interface (ISO 8601) in the time of this machine, with its offset: "2025-11-11 20:10:00 +08:00". */
export function localTime(text: string | null | undefined): string | null {
  const time = new Date(text ?? Number.NaN);
  // What is no time is shown as it is.
  if (Number.isNaN(time.getTime())) return text ?? null;
  const offset = -time.getTimezoneOffset();
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date} ${clock} ${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}

const two = (number: number): string => String(number).padStart(2, '0');
