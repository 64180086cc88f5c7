import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { MessageFacts } from "../app/events.ts";
import type { StatusResult } from "../protocol/methods.ts";
import { formatMoment, formatTime, shown, shownText } from "./format.ts";
import { IconButton } from "./icon.tsx";
import { t } from "./language.ts";
import { ask, link, messages, order, unread, view } from "./session.ts";

/** Whom the next message goes to: "" is the server. */
const to = signal("");
const draft = signal("");
/** Who is here, to choose from. */
const people = signal<readonly { readonly name: string; readonly label: string }[]>([]);

export function Conversation() {
  const end = useRef<HTMLDivElement>(null);
  const count = messages.value.length;
  useEffect(() => {
    unread.value = 0;
    void findPeople();
    if ("Notification" in window && Notification.permission === "default") void Notification.requestPermission();
  }, []);
  useEffect(() => end.current?.scrollIntoView({ block: "end" }), [count]);
  return (
    <div class="conversation">
      <div class="messages" role="log" aria-label={t("messages")} tabIndex={0}>
        {count === 0 && <p class="nothing">{t("noMessages")}</p>}
        {messages.value.map((message) => (
          <Message key={message.id} message={message} />
        ))}
        <div ref={end} />
      </div>
      <Composer />
    </div>
  );
}

function Message({ message }: { message: MessageFacts }) {
  const { isOurs, from = "", token, nick, to: aim, text, at, delivery, note, wasKept } = message;
  const who = isOurs
    ? t("you")
    : token !== undefined
      ? `${token} (${from})`
      : nick !== undefined
        ? `~${nick} (${from})`
        : from;
  const whom = aim === "" ? t("server") : aim.toLowerCase() === "all" ? t("toEverybody") : isOurs ? aim : t("toYou");
  return (
    <article class={`message ${isOurs ? "ours" : ""} ${delivery ?? ""}`}>
      <header>
        <strong>
          <bdi>{shown(who)}</bdi>
        </strong>{" "}
        <span class="dim">
          → <bdi>{shown(whom)}</bdi>
        </span>{" "}
        <time class="dim" dateTime={new Date(at).toISOString()} title={formatMoment(at)}>
          {formatTime(at)}
        </time>
        {wasKept && <span class="dim"> {t("wasKept")}</span>}
      </header>
      <p class="text" dir="auto">
        {shownText(text)}
      </p>
      {delivery !== undefined && (
        <p class={`dim delivery ${delivery === "failed" ? "bad" : ""}`}>
          {t(delivery === "sending" ? "sendingNow" : delivery === "failed" ? "notDelivered" : delivery)}
          {note !== undefined && `: ${shown(note)}`}
        </p>
      )}
    </article>
  );
}

function Composer() {
  const send = async () => {
    const text = draft.value;
    if (text.trim() === "") return;
    draft.value = "";
    // What could not be sent stays to be sent again.
    const isSent = await order({ ask: "say", text, ...(to.value !== "" && { to: to.value }) });
    if (!isSent && draft.value === "") draft.value = text;
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label>
        {t("writeTo")}
        <select
          value={to.value}
          onFocus={() => void findPeople()}
          onChange={({ currentTarget }) => {
            to.value = currentTarget.value;
          }}
        >
          <option value="">{t("toServer")}</option>
          <option value="all">{t("toAll")}</option>
          {people.value.map(({ name, label }) => (
            <option value={name}>{shown(label)}</option>
          ))}
        </select>
      </label>
      <textarea
        rows={2}
        value={draft.value}
        placeholder={t("write")}
        aria-label={t("write")}
        onInput={({ currentTarget }) => {
          draft.value = currentTarget.value;
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <IconButton
        icon="send"
        label={t("send")}
        class="tool primary"
        disabled={link.value.state !== "up"}
        onClick={() => void send()}
      />
    </form>
  );
}

async function findPeople(): Promise<void> {
  try {
    const { here = [], self } = (await ask({ ask: "status" })) as StatusResult;
    people.value = here
      .filter(({ name }) => name !== self.name)
      .map(({ name, token, nick }) => ({ name, label: token ?? (nick === undefined ? name : `~${nick} (${name})`) }));
  } catch {
    // Nobody to choose from while the link is lost.
  }
}

/** The messages are seen when they are shown. */
export function seeMessages(): void {
  if (view.value === "messages" && !document.hidden) unread.value = 0;
}
