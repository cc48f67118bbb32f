/**
 * Loads @peculiar/x509, which writes certificates. Only here: it takes a good part of a second, and a process that
 * serves never needs it.
 */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  // Its dependency injection fails without this one before it.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
