import { signal } from "@preact/signals";
import type { Ask, Side } from "../app/asks.ts";
import type { AppEvent, EntryFacts, JobFacts, LinkFacts, Listing, MessageFacts } from "../app/events.ts";
import { AskError, Channel } from "./channel.ts";

/** Where the browser keeps its secret, until its tab is closed. */
const SECRET = "commserver-secret";

export type PageState = "starting" | "open" | "lost" | "refused";

/** What the page knows; the application tells it. */
export const pageState = signal<PageState>("starting");
export const names = signal({ server: "", here: "" });
export const link = signal<LinkFacts>({ state: "connecting" });
export const jobs = signal<readonly JobFacts[]>([]);
export const messages = signal<readonly MessageFacts[]>([]);
/** Messages that arrived while they were not shown. */
export const unread = signal(0);
/** What went wrong last, for a person; undefined: nothing. */
export const trouble = signal<{ readonly code: string; readonly message: string } | undefined>(undefined);

export type View = "files" | "transfers" | "messages" | "status";
export const view = signal<View>("files");

const followers = new Set<(side: Side, path: string) => void>();
const returns = new Set<() => void>();
let channel: Channel | undefined;

/** Called when a followed folder may have changed. @returns the function that ends it */
export function onFolderChange(follower: (side: Side, path: string) => void): () => void {
  followers.add(follower);
  return () => followers.delete(follower);
}

/** Called when the application, or the link to the server, is there, for the first time or again. */
export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

/** Find out who this browser is, and open the channel. */
export async function begin(): Promise<void> {
  const key = /^#key=([\w-]+)$/.exec(location.hash)?.[1];
  if (key !== undefined) {
    // The key is spent by this request; nobody shall find it in the history.
    history.replaceState(null, "", "/");
    const answer = await fetch("/admission", { method: "POST", body: key });
    if (answer.ok) sessionStorage.setItem(SECRET, await answer.text());
  }
  const secret = sessionStorage.getItem(SECRET);
  if (secret === null) {
    pageState.value = "refused";
    return;
  }
  channel = new Channel(secret, {
    onEvent: take,
    onOpen: () => void greet(),
    onLost: () => {
      pageState.value = "lost";
    },
    onRefused: () => {
      sessionStorage.removeItem(SECRET);
      pageState.value = "refused";
    },
  });
}

async function greet(): Promise<void> {
  try {
    const hello = (await ask({ ask: "hello" })) as {
      names: { server: string; here: string };
      link: LinkFacts;
      jobs: JobFacts[];
      messages: MessageFacts[];
    };
    names.value = hello.names;
    link.value = hello.link;
    jobs.value = hello.jobs;
    messages.value = hello.messages;
    pageState.value = "open";
    for (const listener of returns) listener();
  } catch {
    // The channel is lost again, and will be tried again.
  }
}

/** @throws AskError */
export function ask(question: Ask, part?: (part: unknown) => void): Promise<unknown> {
  if (channel === undefined) return Promise.reject(new AskError("LOST", "The program does not answer."));
  return channel.ask(question, part);
}

/** Ask, and show what goes wrong. @returns whether it went well */
export async function order(question: Ask): Promise<boolean> {
  try {
    await ask(question);
    return true;
  } catch (thrown) {
    showTrouble(thrown);
    return false;
  }
}

export function showTrouble(thrown: unknown): void {
  const { code, message } = thrown instanceof AskError ? thrown : new AskError("UNEXPECTED", String(thrown));
  trouble.value = { code, message };
}

/** The entries of a folder, or of a search. @throws AskError */
export async function listEntries(question: Ask): Promise<{ entries: EntryFacts[]; listing: Listing }> {
  const entries: EntryFacts[] = [];
  const listing = (await ask(question, (part) => {
    for (const entry of part as EntryFacts[]) entries.push(entry);
  })) as Listing;
  return { entries, listing };
}

function take(event: AppEvent): void {
  switch (event.event) {
    case "link": {
      const wasUp = link.value.state === "up";
      link.value = event.link;
      if (!wasUp && event.link.state === "up") for (const listener of returns) listener();
      return;
    }
    case "job":
      jobs.value = withOne(jobs.value, event.job);
      return;
    case "dismissed":
      jobs.value = jobs.value.filter(({ id }) => id !== event.job);
      return;
    case "message":
      if (!event.message.isOurs && (view.value !== "messages" || document.hidden)) {
        unread.value++;
        notify(event.message);
      }
      messages.value = withOne(messages.value, event.message);
      return;
    case "changed":
      for (const follower of followers) follower(event.side, event.path);
  }
}

function withOne<Facts extends { readonly id: number }>(all: readonly Facts[], one: Facts): readonly Facts[] {
  const at = all.findIndex(({ id }) => id === one.id);
  return at === -1 ? [...all, one] : all.with(at, one);
}

function notify({ from = "", token, text }: MessageFacts): void {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  new Notification(token ?? from, { body: text.slice(0, 200) });
}
