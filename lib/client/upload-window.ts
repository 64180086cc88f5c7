import type { Range } from "../block.ts";
import { isSmall } from "../storage/storage.ts";
import type { PieceOffer } from "../transfer/patch-sender.ts";
import { MAX_OUTSTANDING, MAX_OUTSTANDING_BYTES } from "./transfer.ts";
import type { UploadTask } from "./upload-task.ts";

/** Files of several blocks that are offered at once: one that moves, and the next. */
const MAX_LARGE = 2;

/** Parts of a file that the server requested, or whose pieces it has offered. */
export type Wanted =
  | { readonly task: UploadTask; readonly ranges: readonly Range[] }
  | { readonly task: UploadTask; readonly offer: PieceOffer };

/** The files of an upload that are under way: offered ones, requested parts, and files to offer again. */
export class UploadWindow {
  /** To offer before anything new. */
  #again: UploadTask[] = [];
  /** Offered, without a final answer. */
  readonly #offered = new Map<number, UploadTask>();
  /** In the order of the server's requests. */
  #wanted: Wanted[] = [];
  /** Withdrawn files that the server does not know of yet. */
  #abandoned: number[] = [];
  #weight = 0;
  #large = 0;
  #nextId = 0;

  get isFull(): boolean {
    return this.#offered.size >= MAX_OUTSTANDING || this.#weight >= MAX_OUTSTANDING_BYTES || this.#large >= MAX_LARGE;
  }

  /** True while the server owes an answer; false while our own slow disk keeps it waiting. */
  get isOwed(): boolean {
    for (const task of this.#offered.values()) if (!task.isOurs) return true;
    return false;
  }

  /** True when every offer has its final answer. */
  get isAnswered(): boolean {
    return this.#offered.size === 0;
  }

  /** True when nothing is under way, and nothing will be offered again. */
  get isIdle(): boolean {
    return this.#offered.size + this.#again.length + this.#abandoned.length === 0;
  }

  find(id: number): UploadTask | undefined {
    return this.#offered.get(id);
  }

  /** False when the server has given its final answer meanwhile. */
  holds(task: UploadTask): boolean {
    return this.#offered.get(task.id) === task;
  }

  /** Add a task that is offered now: its number is above all earlier ones. */
  add(task: UploadTask): void {
    task.id = this.#nextId++;
    task.isSealed = false;
    task.isOurs = true;
    this.#offered.set(task.id, task);
  }

  /** Count the bytes that the task takes of the window; undefined for a large file. */
  weigh(task: UploadTask, bytes: number | undefined): void {
    task.weight = bytes ?? 0;
    this.#weight += task.weight;
    if (bytes === undefined) this.#large++;
  }

  putAgain(task: UploadTask): void {
    this.#again.push(task);
  }

  takeAgain(): UploadTask | undefined {
    return this.#again.shift();
  }

  want(wanted: Wanted): void {
    this.#wanted.push(wanted);
  }

  takeWanted(): Wanted | undefined {
    return this.#wanted.shift();
  }

  abandon(task: UploadTask): void {
    this.#abandoned.push(task.id);
  }

  takeAbandoned(): number | undefined {
    return this.#abandoned.shift();
  }

  /** Remove a task that needs no more answers. */
  forget(task: UploadTask): void {
    this.#offered.delete(task.id);
    this.#unweigh(task);
    if (this.#wanted.length > 0) this.#wanted = this.#wanted.filter((wanted) => wanted.task !== task);
  }

  /** As forget(), and close its file. */
  async finish(task: UploadTask): Promise<void> {
    this.forget(task);
    await this.#release(task);
  }

  /**
   * Let a task wait; it stays under way by its number. Returns the function that offers it again, unless the stream has
   * ended meanwhile: settle() does the same, and the task gets another number.
   */
  hold(task: UploadTask): () => void {
    const { id } = task;
    task.isOurs = true;
    this.#offered.set(id, task);
    return () => {
      if (this.#offered.get(id) !== task) return;
      this.#offered.delete(id);
      this.#again.push({ ...task });
    };
  }

  /** The stream has ended: offer unanswered files again, and the server says what it has of them. */
  async settle(): Promise<void> {
    for (const task of this.#offered.values()) {
      await this.#release(task);
      task.rounds = 0;
      this.#again.push(task);
    }
    this.#offered.clear();
    this.#wanted = [];
    this.#abandoned = [];
  }

  close(): void {
    this.#again = [];
  }

  #unweigh(task: UploadTask): void {
    this.#weight -= task.weight;
    task.weight = 0;
  }

  async #release(task: UploadTask): Promise<void> {
    this.#unweigh(task);
    const { file } = task;
    task.file = undefined;
    if (file !== undefined && !isSmall(file.entry)) this.#large--;
    await file?.close();
  }
}
