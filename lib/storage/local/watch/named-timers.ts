/** Timers by name, one for each task. None of them keeps the process alive. */
export class NamedTimers<Name> {
  readonly #timers = new Map<Name, ReturnType<typeof setTimeout>>();

  /** Run `action` later. No effect while the timer of this name runs. */
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
