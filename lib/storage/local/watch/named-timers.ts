/** One timer for each thing to do later. None of them keeps the process alive. */
export class NamedTimers<Name> {
  readonly #timers = new Map<Name, ReturnType<typeof setTimeout>>();

  /** No effect when the timer of this name runs already. */
  after(ms: number, name: Name, action: () => void): void {
    if (this.#timers.has(name)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      action();
    }, ms);
    timer.unref();
    this.#timers.set(name, timer);
  }

  cancel(name: Name): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
