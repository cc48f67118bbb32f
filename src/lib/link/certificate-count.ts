/** How many connections each certificate holds. */
export class CertificateCount {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts one more until `give`; false when the certificate has its number already. */
  take(fingerprint: string): boolean {
    const now = this.#open.get(fingerprint) ?? 0;
    if (now >= this.#limit) return false;
    this.#open.set(fingerprint, now + 1);
    return true;
  }

  give(fingerprint: string): void {
    const now = this.#open.get(fingerprint) ?? 0;
    if (now <= 1) this.#open.delete(fingerprint);
    else this.#open.set(fingerprint, now - 1);
  }
}
